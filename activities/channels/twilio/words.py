"""STOP, START and HELP in a customer's text, with whatever is written around them."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

OptOutType = Literal["STOP", "START", "HELP"]

CARRIERS: dict[OptOutType, tuple[str, ...]] = {
    # Twilio's words, those of the FCC (47 CFR 64.1200(a)(10)) among them, and the French ones of Canada's carriers.
    "STOP": ("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "ARRET"),
    # Not YES, which Twilio takes for START: in a journey it answers a question more often.
    "START": ("START", "UNSTOP"),
    "HELP": ("HELP", "INFO", "AIDE"),
}
WORDS = {word: meant for meant, words in CARRIERS.items() for word in words}
TWILIOS = {str(meant): meant for meant in CARRIERS}

COURTESY = frozenset({"PLEASE", "PLS", "PLZ", "THANKS", "THANK", "YOU", "THX", "TY", "NOW", "KINDLY", "MERCI", "SVP"})
# "Cancel it" may be about an order; who writes STOP or UNSUBSCRIBE first means what they get from us.
UNMISTAKABLE = frozenset({"STOP", "UNSUBSCRIBE"})
OURS = UNMISTAKABLE | {"ME", "ALL", "IT", "THIS", "THESE", "THE", "YOUR", "TEXTING", "MESSAGING", "SENDING"}
OURS |= {"TEXT", "TEXTS", "MESSAGE", "MESSAGES", "SMS"}


def opt_out_type(said: str, body: str) -> OptOutType | None:
    """What a text asks for: what Twilio itself makes of it, where Advanced Opt-Out is on, else its words.

    Punctuation, case, blanks, accents and courtesy are no part of them: ``Opt-out, please.`` is OPTOUT. None where the
    text says something else, as ``Don't stop`` and ``Stop by tomorrow`` do.
    """
    if twilios := TWILIOS.get(said.strip().upper()):
        return twilios
    asked = [word for word in _words(body) if word not in COURTESY]
    if meant := WORDS.get("".join(asked)):
        return meant
    return "STOP" if asked and asked[0] in UNMISTAKABLE and OURS.issuperset(asked[1:]) else None


def _words(body: str) -> list[str]:
    """In capitals, as far as they are letters and digits. An apostrophe parts no word: DONT."""
    letters = unicodedata.normalize("NFKD", body).replace("'", "").replace("’", "")
    shown = "".join(letter for letter in letters if unicodedata.category(letter) not in ("Mn", "Cf"))
    return re.findall(r"[^\W_]+", shown.upper())
