"""The chain that writes answers from documents, out of ordinary LangChain parts (LCEL).

`PassageRetriever` and `StudioChatModel` fit into any other chain. Importing this module imports
langchain-core, which takes a second: it is left until somebody asks.
"""

import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from operator import itemgetter
from typing import Any

from langchain_core.callbacks import (
    AsyncCallbackManagerForLLMRun,
    AsyncCallbackManagerForRetrieverRun,
    CallbackManagerForLLMRun,
    CallbackManagerForRetrieverRun,
)
from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_models import agenerate_from_stream
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableBranch, RunnableLambda, RunnablePassthrough

from twotrack.serving.answering import Final, Piece
from twotrack.serving.rag.prompts import NOT_FOUND, REWRITE, REWRITE_REQUEST, SYSTEM, delimited
from twotrack.stores.schemas import Passage

Messages = list[dict[str, str]]
Generate = Callable[[Messages], AsyncGenerator[Piece | Final, None]]
"""Messages as chat templates take them → pieces of the answer (serving/answering.py)."""

_ROLES = {"human": "user", "ai": "assistant", "system": "system"}


class PassageRetriever(BaseRetriever):
    """A question → documents of LangChain, whose metadata says where each stands."""

    search: Callable[[str], Awaitable[Sequence[Passage]]]

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun
    ) -> list[Document]:
        return [
            Document(passage.text, id=str(passage.chunk_id), metadata=passage.model_dump(exclude={"text"}))
            for passage in await self.search(query)
        ]

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        raise NotImplementedError("the studio searches asynchronously: use ainvoke, abatch or astream")


class StudioChatModel(BaseChatModel):
    """A variant of the studio as a chat model of LangChain."""

    generate_pieces: Generate
    variant: str

    @property
    def _llm_type(self) -> str:
        return "twotrack"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"variant": self.variant}

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        plain = [{"role": _ROLES[message.type], "content": str(message.text)} for message in messages]
        async with aclosing(self.generate_pieces(plain)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Piece):
                    yield ChatGenerationChunk(message=AIMessageChunk(content=piece.text))
                else:
                    details = {"finish_reason": piece.reason}
                    yield ChatGenerationChunk(message=AIMessageChunk(content="", response_metadata=details))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return await agenerate_from_stream(self._astream(messages, stop, run_manager, **kwargs))

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        raise NotImplementedError("the studio answers asynchronously: use ainvoke, abatch or astream")


def answering_chain(retriever: BaseRetriever, model: BaseChatModel) -> Runnable[Any, Any]:
    """{"question", "search", "history"} → those, and `documents` and `answer`; streamed in that order.

    `search` is the question as it stands by itself, `history` a list of LangChain's messages. Without
    documents the model is not asked: the answer is prompts.NOT_FOUND.
    """
    prompt = ChatPromptTemplate.from_messages(
        [("system", SYSTEM), MessagesPlaceholder("history"), ("human", "{passages}\n\n{question}")]
    )
    answer: RunnableBranch[Any, str] = RunnableBranch(
        (_found_nothing, RunnableLambda(_say_so)),
        RunnableLambda(_fill) | prompt | model | StrOutputParser(),
    )
    return RunnablePassthrough.assign(documents=itemgetter("search") | retriever).assign(answer=answer)


def rewriting_chain(model: BaseChatModel) -> Runnable[Any, str]:
    """{"question", "history"} → the question as it stands by itself."""
    prompt = ChatPromptTemplate.from_messages(
        [("system", REWRITE), MessagesPlaceholder("history"), ("human", REWRITE_REQUEST)]
    )
    return prompt | model | StrOutputParser()


def history_messages(turns: Sequence[tuple[str, str]]) -> list[BaseMessage]:
    """(role, text) pairs as LangChain has them."""
    return [HumanMessage(text) if role == "user" else AIMessage(text) for role, text in turns]


def _found_nothing(given: dict[str, Any]) -> bool:
    return not given["documents"]


def _say_so(given: dict[str, Any]) -> str:
    return NOT_FOUND


def _fill(given: dict[str, Any]) -> dict[str, Any]:
    documents: list[Document] = given["documents"]
    # A document cannot end its own quotation: it does not know the mark.
    mark = secrets.token_hex(4)
    texts = [
        (
            str(document.metadata.get("title", "")),
            str(document.metadata.get("heading", "")),
            document.page_content,
        )
        for document in documents
    ]
    return {**given, "passages": delimited(texts, mark)}
