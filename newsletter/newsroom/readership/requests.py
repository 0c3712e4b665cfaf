"""What people ask of us by public forms: to be subscribed, or to be sent their link. Answered by one mail each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from newsletter import deliver
from newsletter.errors import InputError
from newsletter.model import Message
from newsletter.newsroom.posting import Outgoing, UnwantedError, post
from newsletter.newsroom.readership import readers, welcomes
from newsletter.newsroom.readership.turns import in_turn
from newsletter.newsroom.room import Newsroom
from newsletter.plan import Newsletter
from newsletter.render import ReaderLetter, listed
from newsletter.tokens import Purpose, mark_of
from subscribers.changing import Outcome
from subscribers.errors import RefusedError, UnknownSubscriberError
from subscribers.model import SignUp, Status, Subscriber
from subscribers.requests import FRESH, LASTS, Asked, RequestKind
from subscribers.signups import sign_up

__all__ = [
    "FORM",
    "ask_for_link",
    "ask_to_subscribe",
    "carry",
    "confirm",
    "keeps_local_time",
    "offered",
    "read_address",
    "read_subscription",
    "request_of",
    "served_to",
]

FORM = "1"
"""Version of the words that the subscribe page asks for consent with; a new one with every change of what they mean."""


def offered(room: Newsroom) -> list[Newsletter]:
    """The newsletters that anybody may subscribe to: those whose archive is public and that appear."""
    return [each for each in room.plan.newsletters.values() if each.enabled and each.archive == "public"]


def served_to(room: Newsroom, reader: readers.Reader) -> list[str]:
    """How often the reader can have what they are subscribed to, and the newsletter whose link they came by."""
    return readers.served(_theirs(room, reader))


def keeps_local_time(room: Newsroom, reader: readers.Reader) -> bool:
    """Whether any of these leaves by the clocks of its readers, so that their time zone tells something."""
    return any(each.local_time for each in _theirs(room, reader))


def _theirs(room: Newsroom, reader: readers.Reader) -> list[Newsletter]:
    held = [each for name, each in room.plan.newsletters.items() if _confirmed(reader.subscriber, name)]
    return [each for each in (reader.newsletter, *held) if each is not None]


def read_subscription(
    room: Newsroom,
    address: str,
    newsletters: Collection[str],
    *,
    countries: Collection[str],
    frequency: str,
    language: str,
) -> SignUp:
    """What a form asks for, of that which is offered; raises `InputError` for what cannot be asked."""
    chosen = [each for each in offered(room) if each.name in newsletters]
    theirs = [code for each in chosen for code in each.countries]
    told = [code for code in dict.fromkeys(theirs) if code in countries]
    often = readers.served(chosen)
    if not chosen or not told:
        raise InputError("choose at least one newsletter and one country")
    try:
        return sign_up(
            address,
            [each.name for each in chosen],
            countries=None if len(told) == len(set(theirs)) else told,
            frequency=frequency if frequency in often else next(iter(often), None),
            language=language if any(language in each.languages for each in chosen) else None,
            regions=room.plan.places,
        )
    except RefusedError as error:
        raise InputError(str(error)) from None


def ask_to_subscribe(room: Newsroom, signup: SignUp, *, language: str, network: str) -> None:
    """Have the address asked, in that language, whether it wants that; at most once a day."""
    _ask(room, RequestKind.SUBSCRIBE, signup, language, network)


def read_address(room: Newsroom, address: str) -> SignUp:
    """Whoever has that address, of whatever newsletter; raises `InputError` for one that is none."""
    try:
        return sign_up(address, tuple(room.plan.newsletters) or ("none",))
    except RefusedError as error:
        raise InputError(str(error)) from None


def ask_for_link(room: Newsroom, signup: SignUp, *, language: str, network: str) -> None:
    """Have whoever has that address sent the link to their preferences; at most once a day."""
    _ask(room, RequestKind.LINK, signup, language, network)


def _ask(room: Newsroom, kind: RequestKind, signup: SignUp, language: str, network: str) -> None:
    with in_turn(room):
        room.subscribers.ask(kind, signup, room.clock.now(), language=language, network=network, form=FORM)


def request_of(room: Newsroom, token: str, purpose: Purpose = Purpose.CONFIRM) -> Asked | None:
    """The request that a link stands for; None when it is forged, too old, gone, or of somebody else by now."""
    payload = room.signer.verify(purpose, token, room.clock.now())
    if payload is None:
        return None
    number, _, mark = payload.partition("|")
    try:
        asked = room.subscribers.request(int(number))
    except UnknownSubscriberError:
        return None
    return asked if mark in ("", mark_of(asked.address.email)) else None  # the first links of all had no mark


def confirm(room: Newsroom, asked: Asked, newsletters: Collection[str], *, network: str) -> Subscriber | None:
    """Subscribe whoever has the address; None where the link was used before. Raises `InputError` for no newsletter."""
    chosen = [name for name in asked.newsletters if name in newsletters]
    if not chosen:
        raise InputError("choose at least one newsletter")
    plan = room.plan.newsletters
    welcoming = [name for name in chosen if name in plan and plan[name].welcome]
    with in_turn(room):
        return room.subscribers.confirm(asked.id, chosen, room.clock.now(), network, welcoming)


_LINKS = {
    RequestKind.SUBSCRIBE: (Purpose.CONFIRM, "confirm", LASTS),
    RequestKind.DATA: (Purpose.DATA, "data", FRESH),
    RequestKind.LEAVE: (Purpose.MOVE, "move", LASTS),
    RequestKind.JOIN: (Purpose.MOVE, "move", LASTS),
}
"""What the link in an answer is for, where it leads, and how long it works."""


def carry(room: Newsroom) -> None:
    """Answer what was asked, as `posting.post` does."""
    post(room, "answer to a reader", _Requests(room), partial(_letter, room), _outbox(room))


@dataclass(frozen=True, slots=True)
class _Requests:
    """The requests of the subscribers' house as a queue of letters."""

    room: Newsroom

    def open(self, most_tries: int) -> Sequence[Asked]:
        return self.room.subscribers.requests(most_tries)

    def claim(self, row: Asked, now: datetime) -> bool:
        return self.room.subscribers.claim_request(row, now)

    def settle(self, row: Asked, reply: str, *, settled: bool = True) -> None:
        self.room.subscribers.settle_request(row, reply, settled=settled)


@dataclass(frozen=True, slots=True)
class Written:
    """A letter, what its Message-ID is made of, and where its reader leaves by one click, if there is anything to."""

    letter: ReaderLetter
    name: str
    unsubscribe: str = ""


def _outbox(room: Newsroom) -> Path:
    return room.outbox / "readers"


def _letter(room: Newsroom, asked: Asked) -> Outgoing:
    plan = room.plan.newsletters
    held = _held(room, asked.address.email)
    if asked.kind is RequestKind.SUBSCRIBE and asked.confirmed_at is not None:
        return _welcome(room, asked, held)
    if asked.kind is RequestKind.SUBSCRIBE:
        wanted = [plan[name] for name in asked.newsletters if name in plan]
        known = held is not None and all(_confirmed(held, each.name) for each in wanted)
        kind = "known" if known else "confirm"
    elif asked.kind is RequestKind.JOIN:
        wanted = [plan[name] for name in asked.newsletters if name in plan]
        kind = "join"
    else:
        wanted = [each for name, each in plan.items() if held is not None and name in held.subscriptions]
        kind = str(asked.kind)
    if not wanted:
        raise UnwantedError("there is nothing to answer: nobody is known, or no newsletter any more")

    if asked.kind in (RequestKind.LEAVE, RequestKind.JOIN):
        change = room.privacy.change_of(asked, room.clock.now())
        if change is None or change.outcome is not Outcome.OPEN:
            raise UnwantedError("the change of address that it speaks of has ended")

    def link() -> str:
        if held is not None and kind in ("known", "link"):
            return readers.preferences_address(room, held, wanted[0])
        purpose, place, lasts = _LINKS[asked.kind]
        payload = f"{asked.id}|{mark_of(asked.address.email)}"
        return f"{room.settings.base_url}/{place}/{room.signer.sign(purpose, payload, asked.asked_at + lasts)}"

    return asked.address.email, partial(_message, room, asked, kind, wanted, link)


def _welcome(room: Newsroom, asked: Asked, held: Subscriber | None) -> Outgoing:
    """What will come, and when. Whoever left meanwhile is looked up here, when the letter is about to be made."""
    plan = room.plan.newsletters
    theirs = [
        plan[name]
        for name in asked.welcome
        if name in plan and plan[name].welcome and held and room.subscribers.still_wanted(name, held.id)
    ]
    if held is None or not theirs:
        raise UnwantedError("nobody is to be welcomed: whoever confirmed has left, or the newsletter has none any more")
    letter, unsubscribe = welcomes.welcome(room, held, theirs, asked.language)
    # One name at each try: a welcome that came twice would be one to a mail program.
    its = Written(letter, f"welcome|{asked.id}", unsubscribe)
    return asked.address.email, partial(_posted, room, asked, theirs[0], its)


def _held(room: Newsroom, email: str) -> Subscriber | None:
    try:
        return room.subscribers.find(email)
    except UnknownSubscriberError:
        return None


def _confirmed(held: Subscriber, name: str) -> bool:
    kept = held.subscriptions.get(name)
    return kept is not None and kept.status is Status.CONFIRMED


def _message(room: Newsroom, asked: Asked, kind: str, wanted: Sequence[Newsletter], link: Callable[[], str]) -> Message:
    first = wanted[0]
    letter = room.templates.letter(
        {
            "kind": kind,
            "title": first.title,
            "titles": listed([each.title for each in wanted], asked.language),
            "address": link(),
            "days": _LINKS[asked.kind][2].days if asked.kind in _LINKS else 0,
            "postal_address": first.postal_address,
        },
        asked.language,
    )
    return _posted(room, asked, first, Written(letter, f"request|{asked.id}|{asked.tries}"))


def _posted(room: Newsroom, asked: Asked, first: Newsletter, its: Written) -> Message:
    letter, unique = its.letter, room.signer.digest(Purpose.MESSAGE_ID, its.name)
    written = deliver.Letter(
        sender=first.sender,
        to=asked.address.email,
        subject=letter.subject,
        html=letter.html,
        text=letter.text,
        date=room.clock.now(),
        message_id=f"<{unique}@{first.sender.domain}>",
        unsubscribe=its.unsubscribe,
    )
    envelope = deliver.envelope_sender(room.settings.bounce_domain or first.sender.domain, f"request-{asked.id}")
    return deliver.write_letter(written, 0, envelope, deliver.dkim_keys(room.settings))
