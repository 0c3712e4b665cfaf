# ruff: noqa: E501 - servers write long lines
"""Bounces of today, written after RFC 3464, 5965, 3834 and the formats that each provider sends.

Each is what stands in our mailbox when a message to `READER` comes back: name, class, bytes. `TOKEN` is its VERP token.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from textwrap import dedent

from subscribers.bounces.model import BounceClass as C

__all__ = ["READER", "SENDER", "TOKEN", "modern"]

TOKEN = "2f-" + "0123456789abcdef0123456789ab"
SENDER = f"bounce+{TOKEN}@news.example.com"
READER = "mei@reader.example"

RETURNED = f"""\
Return-Path: <{SENDER}>
Received: from desk.example.com (desk.example.com [192.0.2.1]) by mx.reader.example with ESMTPS id 4a; Wed, 27 May 2026
 05:30:02 +0800
From: Asia AI Daily <daily@example.com>
To: {READER}
Subject: User unknown in a spam wave; mailbox full of quota stories
Message-ID: <0011223344556677889900aabbccddee@example.com>
List-Unsubscribe: <https://news.example.com/unsubscribe/AbCd.fDF8MjM.AAAAAAAAAAAAAAAAAAAAAA>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

No such user: banks blocked accounts whose mailbox is full of spam.
"""


def modern() -> Iterator[tuple[str, C, bytes]]:
    """Every one of them."""
    yield from _google()
    yield from _microsoft()
    yield from _yahoo()
    yield from _servers()
    yield from _asia()
    yield from _replies()
    yield from _complaints()


def _report(
    sender: str,
    subject: str,
    human: str,
    status: str,
    *,
    to: str = SENDER,
    kind: str = "message/rfc822",
    extra: str = "",
) -> bytes:
    status = "\n".join(
        line.strip() if line.lstrip()[:1] != "|" else " " + line.lstrip()[1:] for line in status.splitlines()
    )
    return f"""\
Return-Path: <>
Delivered-To: {to}
From: {sender}
To: {to}
Subject: {subject}
{extra}MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=_b1"

This is a MIME-encapsulated message.

--=_b1
Content-Type: text/plain; charset=utf-8

{human}
--=_b1
Content-Type: message/delivery-status

{status.strip()}

--=_b1
Content-Type: {kind}

{RETURNED}
--=_b1--
""".encode()


def _postfix(code: str, said: str, *, action: str = "failed", status: str = "") -> bytes:
    waits = action == "delayed"
    human = (
        "This is the mail system at host desk.example.com.\n\n"
        + ("####\n# THIS IS A WARNING ONLY.  YOU DO NOT NEED TO RESEND YOUR MESSAGE. #\n####\n\n" if waits else "")
        + "I'm sorry to have to inform you that your message could not\nbe delivered to one or more recipients. It's"
        f" attached below.\n\n<{READER}>: host mx.reader.example[192.0.2.9] said: {said} (in reply to RCPT TO command)\n"
    )
    fields = f"""
        Reporting-MTA: dns; desk.example.com
        X-Postfix-Queue-ID: 4bXy1z
        X-Postfix-Sender: rfc822; {SENDER}

        Final-Recipient: rfc822; {READER}
        Original-Recipient: rfc822;{READER}
        Action: {action}
        Status: {status or code}
        Remote-MTA: dns; mx.reader.example
        Diagnostic-Code: smtp; {said}"""
    subject = "Delayed Mail (still being retried)" if waits else "Undelivered Mail Returned to Sender"
    return _report("MAILER-DAEMON@desk.example.com (Mail Delivery System)", subject, human, fields,
                   extra="Auto-Submitted: auto-replied\n")  # fmt: skip


def _google() -> Iterator[tuple[str, C, bytes]]:
    def gmail(status: str, said: str, action: str = "failed") -> bytes:
        human = f"** Address not found **\n\nYour message wasn't delivered to {READER}.\n\nLearn more here:\nhttps://support.google.com/mail/?p=NoSuchUser\n\nThe response was:\n\n{said}"
        if action == "delayed":
            human = f"** Delivery incomplete **\n\nThere was a temporary problem delivering your message to {READER}. Gmail will retry for 46 more hours.\n\nThe response was:\n\n{said}"
        inner = base64.encodebytes(human.encode()).decode()
        return f"""\
Delivered-To: {SENDER}
Return-Path: <>
From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>
To: {SENDER}
Auto-Submitted: auto-replied
Subject: Delivery Status Notification ({"Delay" if action == "delayed" else "Failure"})
References: <0011223344556677889900aabbccddee@example.com>
X-Failed-Recipients: {READER}
Content-Type: multipart/report; boundary="000000000000a1"; report-type=delivery-status

--000000000000a1
Content-Type: multipart/related; boundary="000000000000a2"

--000000000000a2
Content-Type: multipart/alternative; boundary="000000000000a3"

--000000000000a3
Content-Type: text/plain; charset="UTF-8"
Content-Transfer-Encoding: base64

{inner}
--000000000000a3
Content-Type: text/html; charset="UTF-8"

<html><head><style>* {{font-family:Roboto}}</style></head><body><p>{human.splitlines()[0]}</p></body></html>

--000000000000a3--
--000000000000a2
Content-Type: image/png; name="icon.png"
Content-Transfer-Encoding: base64

iVBORw0KGgo=
--000000000000a2--
--000000000000a1
Content-Type: message/delivery-status

Reporting-MTA: dns; googlemail.com
Received-From-MTA: dns; daily@example.com
Arrival-Date: Tue, 26 May 2026 14:30:02 -0700 (PDT)
X-Original-Message-ID: <0011223344556677889900aabbccddee@example.com>

Final-Recipient: rfc822; {READER}
Action: {action}
Status: {status}
Remote-MTA: dns; gmail-smtp-in.l.google.com. (2a00:1450:4025:c03::1a, the server for the domain reader.example.)
Diagnostic-Code: smtp; {said}
Last-Attempt-Date: Tue, 26 May 2026 14:30:03 -0700 (PDT)

--000000000000a1
Content-Type: message/rfc822

{RETURNED}
--000000000000a1--
""".encode()

    unknown = "550-5.1.1 The email account that you tried to reach does not exist. Please try\n 550-5.1.1 double-checking the recipient's email address for typos or\n 550-5.1.1 unnecessary spaces. For more information, go to\n 550 5.1.1  https://support.google.com/mail/?p=NoSuchUser d2e1a72fcca58 - gsmtp"
    yield "gmail, no such user", C.ADDRESS, gmail("5.1.1", unknown)
    yield (
        "gmail, waits",
        C.DELAYED,
        gmail("4.4.1", "The recipient server did not accept our requests to connect.", "delayed"),
    )
    yield (
        "gmail by postfix, inactive",
        C.MAILBOX,
        _postfix(
            "5.2.1",
            "550-5.2.1 The email account that you tried to reach is inactive. 550 5.2.1 https://support.google.com/mail/?p=DisabledUser",
        ),
    )
    yield (
        "gmail by postfix, full",
        C.MAILBOX,
        _postfix(
            "4.2.2",
            "452-4.2.2 The recipient's inbox is out of storage space. Please direct the recipient to 452 4.2.2  https://support.google.com/mail/?p=OverQuotaTemp",
        ),
    )
    yield (
        "gmail by postfix, unauthenticated",
        C.POLICY,
        _postfix(
            "5.7.26",
            "550-5.7.26 Your email has been blocked because the sender is unauthenticated. Gmail requires all senders to authenticate with either SPF or DKIM.",
        ),
    )
    yield (
        "gmail by postfix, rate",
        C.POLICY,
        _postfix("4.7.28", "421-4.7.28 Gmail has detected an unusual rate of mail originating from your IP address."),
    )


def _microsoft() -> Iterator[tuple[str, C, bytes]]:
    def exchange(status: str, said: str, headline: str) -> bytes:
        fields = f"""
            Reporting-MTA: dns;SI2PR01MB1234.apcprd01.prod.exchangelabs.com
            Received-From-MTA: dns;desk.example.com
            Arrival-Date: Tue, 26 May 2026 21:30:05 +0000

            Final-Recipient: rfc822;{READER}
            Action: failed
            Status: {status}
            Diagnostic-Code: smtp;{said}"""
        human = f"{headline}\n\nDiagnostic information for administrators:\n\nGenerating server: SI2PR01MB1234.apcprd01.prod.exchangelabs.com\n\n{READER}\nRemote server returned '{said}'\n"
        extra = "X-MS-Exchange-Message-Is-Ndr:\nX-Auto-Response-Suppress: DR, OOF, AutoReply\nAuto-Submitted: auto-replied\nContent-Language: en-US\n"
        return _report(
            "<postmaster@reader.onmicrosoft.com>", "Undeliverable: Asia AI Daily", human, fields, extra=extra
        )

    yield (
        "exchange online, not found",
        C.ADDRESS,
        exchange(
            "5.1.10",
            "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient mei@reader.example not found by SMTP address lookup",
            "The email address you entered couldn't be found.",
        ),
    )
    yield (
        "exchange online, old unknown",
        C.ADDRESS,
        exchange("5.1.1", "550 5.1.1 RESOLVER.ADR.ExRecipNotFound; not found", "Your message couldn't be delivered."),
    )
    yield (
        "exchange online, full",
        C.MAILBOX,
        exchange(
            "5.2.2",
            "554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded",
            "The recipient's mailbox is full and can't accept messages now.",
        ),
    )
    yield (
        "exchange online, group",
        C.POLICY,
        exchange(
            "5.7.133",
            "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required; Delivery restriction check failed",
            "The group only accepts messages from people in its organization.",
        ),
    )
    yield (
        "exchange online, edge",
        C.OTHER,
        exchange(
            "5.4.1", "550 5.4.1 Recipient address rejected. AS(201806281)", "mx.reader.example rejected your message."
        ),
    )
    yield (
        "exchange online, bad sender",
        C.POLICY,
        exchange(
            "5.1.8", "501 5.1.8 Access denied, bad outbound sender AS(42004)", "Your message couldn't be delivered."
        ),
    )
    yield (
        "exchange online, expired",
        C.MAILBOX,
        exchange(
            "4.4.7", "550 4.4.7 QUEUE.Expired; message expired in unreachable destination queue", "Delivery has failed."
        ),
    )
    yield (
        "outlook.com, mailbox unavailable",
        C.OTHER,
        _postfix("5.5.0", "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302)."),
    )
    yield (
        "outlook.com, block list",
        C.POLICY,
        _postfix(
            "5.7.1",
            "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3140).",
        ),
    )
    yield (
        "a filter that says 5.1.1",
        C.POLICY,
        _postfix("5.1.1", "550 5.1.1 Service unavailable, client host [192.0.2.1] blocked using Spamhaus"),
    )


def _yahoo() -> Iterator[tuple[str, C, bytes]]:
    yield (
        "yahoo, no account",
        C.ADDRESS,
        _postfix(
            "5.0.0",
            "554 delivery error: dd This user doesn't have a yahoo.com account (mei@reader.example) [0] - mta4123.mail.gq1.yahoo.com",
        ),
    )
    yield "yahoo, not found", C.ADDRESS, _postfix("5.0.0", "552 1 Requested mail action aborted, mailbox not found")
    yield (
        "yahoo, disabled",
        C.MAILBOX,
        _postfix(
            "5.0.0",
            "554 30 Sorry, your message to mei@reader.example cannot be delivered. This mailbox is disabled (554.30).",
        ),
    )
    yield (
        "yahoo, over quota",
        C.MAILBOX,
        _postfix("5.0.0", "554 Message not allowed - The recipient's mailbox is over quota"),
    )
    yield (
        "yahoo, deferred until given up",
        C.POLICY,
        _postfix(
            "4.7.0",
            "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1",
        ),
    )
    yield (
        "yahoo, dmarc",
        C.POLICY,
        _postfix(
            "5.7.9",
            "554 5.7.9 Message not accepted for policy reasons. See https://postmaster.yahooinc.com/error-codes",
        ),
    )


def _servers() -> Iterator[tuple[str, C, bytes]]:
    def exim(said: str, status: str = "5.0.0", diagnostic: str = "") -> bytes:
        human = f"This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  {READER}\n    {said}\n"
        fields = f"""
            Reporting-MTA: dns; mx.reader.example

            Action: failed
            Final-Recipient: rfc822;{READER}
            Status: {status}
            {diagnostic}"""
        extra = f"X-Failed-Recipients: {READER}\nAuto-Submitted: auto-replied\n"
        return _report(
            "Mail Delivery System <Mailer-Daemon@mx.reader.example>",
            "Mail delivery failed: returning message to sender",
            human,
            fields,
            extra=extra,
            kind="text/rfc822-headers",
        )

    def ses(status: str, said: str) -> bytes:
        fields = f"""
            Reporting-MTA: dns; a8-30.smtp-out.amazonses.com

            Final-Recipient: rfc822;{READER}
            Diagnostic-Code: smtp; {said}
            Action: failed
            Status: {status}"""
        human = f"An error occurred while trying to deliver the mail to the following recipients:\n{READER}\n"
        return _report("MAILER-DAEMON@amazonses.com", "Delivery Status Notification (Failure)", human, fields)

    yield (
        "postfix, unknown",
        C.ADDRESS,
        _postfix(
            "5.1.1", "550 5.1.1 <mei@reader.example>: Recipient address rejected: User unknown in virtual mailbox table"
        ),
    )
    yield "postfix, null mx", C.ADDRESS, _postfix("5.1.10", "Domain reader.example does not accept mail (nullMX)")
    yield (
        "postfix, timed out",
        C.MAILBOX,
        _postfix("4.4.1", "connect to mx.reader.example[192.0.2.9]:25: Connection timed out"),
    )
    yield "postfix, waits", C.DELAYED, _postfix("4.2.2", "452 4.2.2 Mailbox full", action="delayed")
    yield (
        "postfix, no domain",
        C.OTHER,
        _postfix(
            "5.4.4",
            "Host or domain name not found. Name service error for name=reader.example type=AAAA: Host not found",
        ),
    )
    yield "postfix, too long", C.POLICY, _postfix("5.2.3", "552 5.2.3 Message length exceeds administrative limit")
    yield "postfix, handed on", C.DELIVERED, _postfix("2.0.0", "250 2.0.0 Ok: queued as 4B1", action="relayed")
    yield "exim, unrouteable", C.ADDRESS, exim("Unrouteable address")
    yield (
        "exim, remote unknown",
        C.ADDRESS,
        exim("host mx2 said", diagnostic="Diagnostic-Code: smtp; 550 No such person at this address"),
    )
    yield "exim, retry timeout", C.MAILBOX, exim("retry timeout exceeded", status="4.4.7")
    yield "ses, unknown", C.ADDRESS, ses("5.1.1", "550 5.1.1 user unknown")
    yield (
        "ses, suppression list",
        C.ADDRESS,
        ses(
            "5.1.1",
            "Amazon SES has suppressed sending to this address because it has a recent history of bouncing as an invalid address.",
        ),
    )
    yield "ses, content", C.POLICY, ses("5.6.1", "554 Message rejected due to content")
    yield "icloud, unknown", C.ADDRESS, _postfix("5.1.1", "550 5.1.1 <mei@reader.example>: user does not exist")
    yield "icloud, full", C.MAILBOX, _postfix("5.2.2", "552 5.2.2 <mei@reader.example>: user is over quota")
    yield (
        "icloud, policy",
        C.POLICY,
        _postfix(
            "5.7.1",
            "554 5.7.1 [CS01] Message rejected due to local policy. Please visit https://support.apple.com/en-us/HT204137",
        ),
    )
    yield (
        "mimecast, invalid",
        C.ADDRESS,
        _postfix("5.0.0", "550 Invalid Recipient - https://community.mimecast.com/docs/DOC-1369#550"),
    )
    yield "gmx, mailbox unavailable", C.OTHER, _postfix("5.0.0", "550 Requested action not taken: mailbox unavailable")
    yield "comcast, no customer", C.ADDRESS, _postfix("5.1.1", "550 5.1.1 Not our Customer")
    inner = _postfix("5.1.1", "550 5.1.1 User unknown").decode()
    yield (
        "forwarded by a person as an attachment",
        C.ADDRESS,
        f"""\
From: Postmaster <post@example.com>
To: bounces@example.com
Subject: Fwd: Undelivered Mail Returned to Sender
Content-Type: multipart/mixed; boundary=zz

--zz
Content-Type: text/plain

See below.
--zz
Content-Type: message/rfc822

{inner}
--zz--
""".encode(),
    )  # fmt: skip


def _asia() -> Iterator[tuple[str, C, bytes]]:
    def words(sender: str, subject: str, text: str, charset: str) -> bytes:
        coded = base64.b64encode(subject.encode(charset)).decode()
        body = base64.encodebytes(f"{text}\n\n----- Original message -----\n{RETURNED}".encode(charset)).decode()
        head = f"""\
        Return-Path: <>
        X-Original-To: {SENDER}
        From: {sender}
        To: {SENDER}
        Subject: =?{charset}?B?{coded}?=
        MIME-Version: 1.0
        Content-Type: text/plain; charset="{charset}"
        Content-Transfer-Encoding: base64
        """
        return f"{dedent(head)}\n{body}".encode()

    yield (
        "qq, no mailbox",
        C.ADDRESS,
        words(
            "PostMaster@qq.com",
            "系统退信",
            f"抱歉，您的邮件被退回来了……\n收件人 {READER}\n退信原因：收件人邮箱不存在，请检查收件人地址。\nhost mx3.qq.com said: 550 Mailbox not found",
            "gb18030",
        ),
    )
    yield (
        "qq, full",
        C.MAILBOX,
        words(
            "PostMaster@qq.com",
            "系统退信",
            f"抱歉，您的邮件被退回来了\n收件人 {READER}\n退信原因：对方邮箱已满，暂时无法接收新邮件。",
            "gb18030",
        ),
    )
    yield (
        "qq, refused",
        C.POLICY,
        words(
            "PostMaster@qq.com",
            "系统退信",
            "您的邮件被退回。退信原因：发送的邮件被对方拒收 550 Mail content denied.",
            "gb18030",
        ),
    )
    yield "163, no user", C.ADDRESS, _postfix("5.0.0", "550 User not found: mei@reader.example")
    yield (
        "163, spf",
        C.POLICY,
        _postfix("5.0.0", "550 MI:SPF mx14,QMCowEDp 1779830700 http://mail.163.com/help/help_spam_16.htm"),
    )
    yield "naver, no user", C.ADDRESS, _postfix("5.1.1", "550 5.1.1 No such user mei@reader.example - nsmtp")
    yield (
        "naver, full",
        C.MAILBOX,
        words(
            "mailer-daemon@naver.com",
            "[반송] 메일 전송에 실패하였습니다",
            f"{READER} 수신자의 메일함이 가득 찼습니다. (552 5.2.2 Mailbox is full)",
            "euc-kr",
        ),
    )
    yield (
        "naver, unknown in words",
        C.ADDRESS,
        words("mailer-daemon@naver.com", "메일 전송에 실패하였습니다", "받는사람이 존재하지 않는 주소입니다.", "utf-8"),
    )
    yield (
        "docomo, unknown",
        C.ADDRESS,
        words(
            "Mail Delivery Subsystem <MAILER-DAEMON@docomo.ne.jp>",
            "配信エラー",
            "宛先不明のため配信できませんでした。550 Unknown user",
            "iso-2022-jp",
        ),
    )
    yield (
        "mail.ru, not found",
        C.ADDRESS,
        _postfix(
            "5.0.0",
            "550 Message was not accepted -- invalid mailbox.  Local mailbox mei@reader.example is unavailable: user not found",
        ),
    )


def _replies() -> Iterator[tuple[str, C, bytes]]:
    def reply(subject: str, extra: str, text: str, sender: str = f"Mei Tan <{READER}>") -> bytes:
        return f"Return-Path: <>\nDelivered-To: {SENDER}\nFrom: {sender}\nTo: {SENDER}\nSubject: {subject}\n{extra}Content-Type: text/plain; charset=utf-8\n\n{text}\n".encode()

    gone = "This mailbox no longer exists. User unknown. Please delete this address: delivery failed, undeliverable."
    yield "out of office", C.REPLY, reply("Automatic reply: Asia AI Daily", "X-Auto-Response-Suppress: All\n", gone)
    yield "vacation, rfc 3834", C.REPLY, reply("Re: Asia AI Daily", "Auto-Submitted: auto-replied (vacation)\n", gone)
    yield "german", C.REPLY, reply("Abwesenheitsnotiz: Asia AI Daily", "", gone)
    yield (
        "japanese",
        C.REPLY,
        reply(
            "=?utf-8?B?" + base64.b64encode("自動返信: 休暇中です".encode()).decode() + "?=", "", "不在です。宛先不明。"
        ),
    )
    yield "korean", C.REPLY, reply("자동 회신: 부재중", "Precedence: auto_reply\n", gone)
    yield "chinese", C.REPLY, reply("自动回复: Asia AI Daily", "", "邮箱不存在")
    yield (
        "a postmaster on vacation",
        C.REPLY,
        reply("Out of Office: delivery failure", "", gone, "postmaster@reader.example"),
    )
    yield "left the company", C.REPLY, reply("I have left Reader Ltd", "X-Autoreply: yes\n", gone)
    receipt = f"""\
From: {READER}
To: {SENDER}
Subject: Read: Asia AI Daily
Content-Type: multipart/report; report-type=disposition-notification; boundary=mm

--mm
Content-Type: text/plain

Your message was read.
--mm
Content-Type: message/disposition-notification

Final-Recipient: rfc822;{READER}
Disposition: manual-action/MDN-sent-manually; displayed
--mm--
"""
    yield "read receipt", C.REPLY, receipt.encode()
    yield "a person's question", C.UNKNOWN, reply("Question about yesterday", "", "Why was my account blocked?")


def _complaints() -> Iterator[tuple[str, C, bytes]]:
    def arf(kind: str, fields: str = "", returned: str = RETURNED) -> bytes:
        return f"""\
From: <feedback@arf.mail.yahoo.com>
To: fbl@example.com
Subject: FW: Asia AI Daily
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="arf"

--arf
Content-Type: text/plain; charset=us-ascii

This is an email abuse report for an email message from amazonses.com on Wed, 27 May 2026.
--arf
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: Yahoo!-Mail-Feedback/2.0
Version: 0.1
{fields}--arf
Content-Type: message/rfc822

{returned}
--arf--
""".encode()

    bare = RETURNED.replace(f"Return-Path: <{SENDER}>\n", "").replace(READER, "redacted@example.invalid")
    yield "arf, abuse", C.COMPLAINT, arf("abuse")
    yield "arf, envelope sender in the report", C.COMPLAINT, arf("abuse", f"Original-Mail-From: <{SENDER}>\n", bare)
    yield "arf, fraud", C.COMPLAINT, arf("fraud", f"Original-Mail-From: <{SENDER}>\n")
    yield "arf, not spam", C.UNKNOWN, arf("not-spam")
    old = f"From: staff@hotmail.com\nTo: fbl@example.com\nSubject: complaint about message from 192.0.2.1\nContent-Type: multipart/mixed; boundary=j\n\n--j\nContent-Type: message/rfc822\n\nX-HmXmrOriginalRecipient: {READER}\n{RETURNED}\n--j--\n"
    yield "microsoft jmrp", C.COMPLAINT, old.encode()
