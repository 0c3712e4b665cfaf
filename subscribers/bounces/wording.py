"""What servers say in words, in the languages and formats met: patterns, each tried on a short text.

Where two fit, the milder class holds: nobody is suppressed for a word that may mean something else.
"""

from __future__ import annotations

import re

from subscribers.bounces.model import BounceClass

__all__ = ["class_of_words", "is_bounce", "is_delay", "is_reply", "reason_in"]


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_POLICY = _any(
    r"\bspam\b|spamhaus|spamcop|barracuda|unsolicited|\bbulk ?mail|black ?list|block ?list|deny ?list",
    r"\bdns[bw]l\b|\brbl\b|\bblocked\b|\bbanned\b|\breputation\b|\bpolic(?:y|ies)\b|\bdmarc\b|\bspf\b|\bdkim\b",
    r"unauthenticated|not authenticated|authentication (?:required|failed|checks?)",
    r"relay(?:ing)? (?:denied|not permitted|prohibited)|unable to relay|not permitted to relay|access denied",
    r"(?:sender|client|host|from address)\b.{0,40}(?:denied|rejected|not allowed|not permitted)",
    r"not accepting mail from|not (?:allowed|permitted) to send|\bvirus\b|malware|phishing|suspicious",
    r"prohibited content|content (?:rejected|not accepted|filter)",
    r"(?:message|mail|it) (?:is |was )?too (?:large|big|long)|message size",
    r"maximum.{0,30}(?:message|mail|inbound|incoming).{0,12}size|size limit|rate limit",
    r"too many (?:messages|connections|recipients)|垃圾|拒收|拦截|反垃圾|スパム|迷惑メール|受信拒否|스팸|차단",
    r"수신 ?거부|спам|заблокирован|unerwünscht|indésirable|no deseado",
)

_MAILBOX = _any(
    r"quota|(?:mail ?(?:box|folder)|inbox|account|user|storage)\b.{0,30}\bfull\b|full mail ?box",
    r"out of (?:storage|space)|(?:exceed|over).{0,30}(?:storage|mailbox size|capacity|disk space|space limit)",
    r"space not enough|insufficient (?:disk|storage|system)|disk (?:is )?full|no space left",
    r"(?:account|mail ?box|user|recipient)\b.{0,60}(?:disabled|discontinued|suspended|inactive|"
    r"deactivated|locked|not active|on hold|expired)|temporar|try again later|timed? ?out|time-?out",
    r"connection (?:refused|reset|failed)|could ?n[o']t connect|can'?t connect|unable to connect",
    r"establish an smtp connection|not respond|did not respond|unreachable|not reachable|not been collected",
    r"too busy|greylist|maximum.?time.?expired|delivery time expired|retry time|已满|满了",
    r"超出.{0,8}(?:容量|空间|限制)|容量不足|空间不足|容量超|いっぱい|一杯|가득|용량.{0,6}초과|초과|переполнен",
    r"превышен|postfach.{0,20}voll|speicher.{0,20}(?:voll|überschritten)|boîte.{0,30}pleine",
    r"buz[oó]n.{0,20}lleno|casella.{0,20}piena|caixa.{0,20}cheia|kotak.{0,20}penuh",
)

_WHO = r"(?:user(?:name|id)?|mail ?box|recipients?|addressee|address|account|alias|person)"
_ADDRESS = _any(
    rf"unknown (?:or illegal |local |virtual )?(?:e-?mail )?{_WHO}",
    rf"{_WHO}(?: name| id)?(?: is)? ?(?:unknown|not known|not found)",
    rf"\b(?:no|not a) (?:such |valid |known )?(?:local |e-?mail )?{_WHO}\b.{{0,20}}(?:here|by that name|in|"
    rf"on|of|at|$)|no such (?:local )?{_WHO}",
    rf"{_WHO}\b(?:(?!domain|host).){{0,60}}(?:does ?n[o']t exist|not exist|doesn'?t exist|"
    rf"no longer (?:valid|exists|available|in use)|could ?n[o']t be found|couldn'?t be found|wasn'?t found|"
    rf"was not found|not listed in|not recogni[sz]ed|is not valid|is invalid|is wrong|"
    rf"did not exactly match|not a known)|user.{{0,20}}does ?n[o']t have an? .{{1,60}} account",
    rf"no longer (?:valid|with us)|invalid (?:final delivery |local )?{_WHO}|bad destination mailbox",
    r"recipientnotfound|no mailbox here|0*c05a6|\bnot our (?:customer|user)|no matches to nameserver query",
    r"can'?t be found|unrouteable address|not a valid mailbox",
    r"(?:empfänger|benutzer|adresse|postfach).{0,40}(?:unbekannt|existiert nicht|nicht gefunden)",
    r"unbekannter? (?:empfänger|benutzer)|n['’]existe pas|(?:destinataire|utilisateur) inconnu|no existe",
    r"(?:usuario|destinatario) desconocido|(?:utente|destinatario) (?:sconosciuto|inesistente)|não existe",
    r"(?:usuário|destinatário) desconhecido|bestaat niet|finns inte|nie istnieje",
    r"(?:用户|收件人|邮箱|帐号|账号|账户|地址|使用者|收件者|郵箱|帳號).{0,12}(?:不存在|无效|未找到|無效|找不到)",
    r"无此用户|無此用戶|查无此|存在しません|存在しない|見つかりません|宛先不明|不明なユーザー|존재하지 ?않",
    r"없는 ?(?:계정|사용자|주소|메일)|찾을 수 없|не существует|не найден|нет такого пользователя",
    r"неизвестный пользователь|tidak ditemukan|không tồn tại",
)

_DELAY = _any(
    r"not yet been delivered|has been delayed|is delayed|delivery.{0,20}delayed|message delayed",
    r"still (?:being )?(?:retried|trying)|warning (?:message )?only|just a warning|will be retried",
    r"will (?:continue|keep) (?:to )?(?:try|attempt)|been postponed",
    r"attempts? (?:to deliver.{0,40} )?will continue|(?:^|\b)delayed mail",
    r"delivery status notification \(?delay|still awaiting delivery|wird weiter versucht|verzögert|retardée?\b",
    r"en attente de|投递延迟|稍后.{0,6}重试|配送.{0,6}遅延|遅延",
)

_REPLY = _any(
    r"out[- ]of[- ](?:the[- ])?office|auto(?:matic|mated)?[- ]?(?:reply|response|responder|answer)|\booo\b",
    r"on vacation|vacation (?:reply|notice)|away from (?:my|the) (?:mail|office|desk)",
    r"(?:i am|i'm) (?:away|on leave)|on (?:annual |parental |maternity )?leave\b|auto:|abwesen(?:d|heit)",
    r"automatische antwort|nicht im (?:büro|haus)|réponse automatique|absen(?:ce|t) du bureau",
    r"message d'absence|respuesta autom[áa]tica|fuera de (?:la )?oficina|risposta automatica",
    r"fuori (?:sede|ufficio)|assente|resposta autom[áa]tica|fora do escritório|ausência|automatisch antwoord",
    r"afwezig|autosvar|automatisk svar|frånvaro|fravær|automaattinen|poissa\b|automatyczna odpowiedź|nieobecno",
    r"automatická odpověď|automatikus válasz|otomatik yanıt|automatski odgovor|răspuns automat|автоответ",
    r"автоматический ответ|отсутств|автоматична відповідь|αυτόματη απάντηση|自动回复|自動回覆|自動回复",
    r"自动答复|不在办公室|休假|自動返信|自動応答|不在|休暇|자동 ?(?:회신|응답|답장)|부재 ?중|balasan otomatis",
    r"jawaban automatik|trả lời tự động|ตอบกลับอัตโนมัติ|رد تلقائي|الرد التلقائي|מענה אוטומטי|תשובה אוטומטית",
    r"स्वचालित",
)

_BOUNCE = _any(
    r"undeliver(?:able|ed)|non[- ]?deliver|not (?:be )?delivered|fail(?:ure|ed)",
    r"return(?:ed|ing) (?:mail|to sender|message)|delivery (?:status|report|problem|error|notification)",
    r"could not be delivered|mail (?:error|delivery)|mail system error|rejected mail",
    r"permanent (?:fatal )?(?:delivery )?error|unable to deliver|could not deliver|processing error",
    r"delivery to the|unzustellbar|nicht zugestellt|non remis|échec",
    r"no (?:se ha )?(?:pudo|podido) (?:ser )?entrega|mancata consegna|não (?:foi )?entregue|退信|退件|退回",
    r"投递失败|未能(?:送达|投递)|无法(?:送达|投递)|配信不能|配信(?:できません|エラー)|届けられません",
    r"送信できません|반송|전송.{0,4}실패|배달.{0,6}(?:실패|못)|не доставлен|недоставлен|ошибка доставки",
    r"не удалось доставить|user unknown|(?:no such|unknown) user|email address is wrong",
)

_MACHINES = _any(
    r"mailer[-_. ]?daemon|mail[-_. ]?daemon|\bpostmaster|mail delivery (?:sub)?system|\bmdaemon\b",
    r"mail administrator|jetmail|<>",
)

# From here on a text repeats the message that came back, and news speaks of spam, of quotas and of people unknown.
_RETURNED = re.compile(
    r"^[>\s|]{0,4}(?:(?:received|return-path|dkim-signature|list-id|mime-version|message-id|delivered-to):\s"
    r"|-{2,}.{0,60}(?:original|copy|returned|unsent|begin|start|header)"
    r"|\W{0,20}(?:original message|message text) follows|here is your returned mail|.{0,40}below this line is a copy"
    r"|included is a copy|message headers follow|old message:)",
    re.IGNORECASE | re.MULTILINE,
)
_SUBJECT = re.compile(
    r"^[>\s*]{0,4}(?:subject|betreff|objet|asunto|oggetto|assunto|主题|主題|件名|제목)\s?[:：].*(?:\n[ \t].*)?",
    re.IGNORECASE | re.MULTILINE,
)
_TAG = re.compile(
    r"<(?:/?(?:html|body|p|br|b|i|u|div|span|font|table|t[rdh]|tbody|meta|title|h\d|hr|a|img|pre|code|strong|em|ul|li|"
    r"head|tt)\b[^<>]{0,400}|!(?:--|doctype)[^<>]{0,400})>",
    re.IGNORECASE,
)
_STYLE = re.compile(r"<(?:style|script)\b[^<>]{0,400}>[^<]*", re.IGNORECASE)
_LONGEST = 6000


def reason_in(text: str, *, html: bool = False) -> str:
    """What a text says before it repeats the message that came back; at most 6,000 characters, on one line."""
    if html:
        text = _TAG.sub(" ", _STYLE.sub(" ", text[: _LONGEST * 8])).replace("&nbsp;", " ")
    returned = _RETURNED.search(text[: _LONGEST * 4])
    said = text[: returned.start() if returned else None][:_LONGEST]
    return " ".join(_SUBJECT.sub("", said).split())


def class_of_words(words: str) -> BounceClass | None:
    """The class that a server's reason speaks of; None where it speaks of none."""
    for pattern, kind in (
        (_POLICY, BounceClass.POLICY),
        (_MAILBOX, BounceClass.MAILBOX),
        (_ADDRESS, BounceClass.ADDRESS),
    ):
        if pattern.search(words[:_LONGEST]):
            return kind
    return None


def is_delay(words: str) -> bool:
    """Whether it says that the message is still being tried."""
    return bool(_DELAY.search(words[:_LONGEST]))


def is_reply(subject: str) -> bool:
    """Whether a subject is one that programs give to what they answer in a person's absence."""
    return bool(_REPLY.search(subject[:400]))


def is_bounce(sender: str, subject: str, words: str) -> bool:
    """Whether a message without a report is one of a mail server about a message that did not arrive."""
    machine = bool(_MACHINES.search(sender[:400]))
    return bool(_BOUNCE.search(subject[:400])) or (machine and bool(_BOUNCE.search(words[:_LONGEST])))
