"""Documents from files, folders and URLs: read, cut into chunks, embedded, indexed."""
