"""Who may talk to the studio, as whom, and how often. The gate stands before everything else."""
