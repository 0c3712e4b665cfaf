"""The web application: which address leads to which action."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from newsletter.newsroom import Newsroom
from newsletter.web.api.bounces_sns import bounces_sns
from newsletter.web.api.ghost_webhook import ghost_webhook
from newsletter.web.api.issues import api_books, api_issue, api_issues
from newsletter.web.api.me import me
from newsletter.web.api.newsletters import api_newsletters
from newsletter.web.api.openapi import openapi
from newsletter.web.api.stories import api_stories, api_story, api_story_withdraw
from newsletter.web.api.story_push import story_push
from newsletter.web.api.subscriber_imports import api_import, api_import_look, api_import_rejects
from newsletter.web.api.subscribers import (
    api_subscriber,
    api_subscriber_add,
    api_subscriber_preferences,
    api_subscriber_unsubscribe,
    api_subscribers,
    api_suppress,
    api_unsuppress,
)
from newsletter.web.asking import Action
from newsletter.web.convertors import register_convertors
from newsletter.web.desk.account.page import account
from newsletter.web.desk.account.password import account_password
from newsletter.web.desk.account.session_end import account_session_end
from newsletter.web.desk.account.totp import account_totp
from newsletter.web.desk.account.totp_begin import account_totp_begin
from newsletter.web.desk.account.totp_codes import account_totp_codes
from newsletter.web.desk.account.totp_confirm import account_totp_confirm
from newsletter.web.desk.account.totp_end import account_totp_end
from newsletter.web.desk.admin.audit_list import audit_list
from newsletter.web.desk.admin.setting_list import setting_list
from newsletter.web.desk.admin.token_list import token_list
from newsletter.web.desk.admin.token_make import token_make
from newsletter.web.desk.admin.token_revoke import token_revoke
from newsletter.web.desk.admin.user_disable import user_disable
from newsletter.web.desk.admin.user_enable import user_enable
from newsletter.web.desk.admin.user_invite import user_invite
from newsletter.web.desk.admin.user_link import user_link
from newsletter.web.desk.admin.user_list import user_list
from newsletter.web.desk.admin.user_role import user_role
from newsletter.web.desk.admin.user_totp import user_totp
from newsletter.web.desk.board import board
from newsletter.web.desk.bounce.held import bounce_held
from newsletter.web.desk.bounce.settle import bounce_settle
from newsletter.web.desk.day_after import day_after
from newsletter.web.desk.issue.approve import issue_approve
from newsletter.web.desk.issue.arrange import issue_arrange
from newsletter.web.desk.issue.correct import issue_correct
from newsletter.web.desk.issue.decide import issue_decide
from newsletter.web.desk.issue.list import issue_list
from newsletter.web.desk.issue.live import issue_live
from newsletter.web.desk.issue.mail import issue_mail
from newsletter.web.desk.issue.orders import issue_build, issue_cancel, issue_rest, issue_stop, issue_undo
from newsletter.web.desk.issue.page import issue
from newsletter.web.desk.issue.proof import issue_proof
from newsletter.web.desk.issue.reader import issue_reader
from newsletter.web.desk.issue.recipients import issue_recipients
from newsletter.web.desk.issue.restore import issue_restore
from newsletter.web.desk.issue.revisions import issue_revisions
from newsletter.web.desk.issue.story import issue_story, issue_story_change
from newsletter.web.desk.issue.words import issue_words
from newsletter.web.desk.login.code import login_code
from newsletter.web.desk.login.forgot import forgot
from newsletter.web.desk.login.link import login_link
from newsletter.web.desk.login.logout import logout
from newsletter.web.desk.login.page import login
from newsletter.web.desk.login.password import password
from newsletter.web.desk.outbox.folder import outbox_folder
from newsletter.web.desk.outbox.folders import outbox
from newsletter.web.desk.outbox.mail import outbox_mail
from newsletter.web.desk.outbox.message import outbox_message
from newsletter.web.desk.reports.change import report_change
from newsletter.web.desk.reports.list import report_list
from newsletter.web.desk.schedule.apply import schedule_apply
from newsletter.web.desk.schedule.end import schedule_end
from newsletter.web.desk.schedule.extra import schedule_extra
from newsletter.web.desk.schedule.file import schedule_file
from newsletter.web.desk.schedule.file_check import schedule_file_check
from newsletter.web.desk.schedule.file_diff import schedule_file_diff
from newsletter.web.desk.schedule.file_save import schedule_file_save
from newsletter.web.desk.schedule.file_schema import schedule_file_schema
from newsletter.web.desk.schedule.list import schedule_list
from newsletter.web.desk.schedule.move import schedule_move
from newsletter.web.desk.schedule.newsletter import schedule_newsletter
from newsletter.web.desk.schedule.pause import schedule_pause
from newsletter.web.desk.schedule.pause_all import schedule_pause_all
from newsletter.web.desk.schedule.resume import schedule_resume
from newsletter.web.desk.schedule.run import schedule_run
from newsletter.web.desk.schedule.skip import schedule_skip
from newsletter.web.desk.schedule.slot import schedule_slot
from newsletter.web.desk.sources.source_list import source_list
from newsletter.web.desk.sources.source_switch import source_switch
from newsletter.web.desk.stories.story_file import story_file
from newsletter.web.desk.stories.story_list import story_list
from newsletter.web.desk.subscriber.data import subscriber_data
from newsletter.web.desk.subscriber.export import subscriber_export
from newsletter.web.desk.subscriber.file import subscriber_file
from newsletter.web.desk.subscriber.file_order import subscriber_file_order
from newsletter.web.desk.subscriber.import_form import subscriber_import
from newsletter.web.desk.subscriber.list import subscriber_list
from newsletter.web.desk.subscriber.page import subscriber, subscriber_change
from newsletter.web.desk.subscriber.rejects import subscriber_rejects
from newsletter.web.desk.subscriber.upload import subscriber_upload
from newsletter.web.desk.templates.check import template_check
from newsletter.web.desk.templates.file import template_file
from newsletter.web.desk.templates.list import template_list
from newsletter.web.desk.templates.mail import template_mail
from newsletter.web.desk.templates.save import template_save
from newsletter.web.desk.templates.shipped import template_shipped
from newsletter.web.desk.templates.start import template_start
from newsletter.web.desk.webhook.list import webhook_list, webhook_make
from newsletter.web.desk.webhook.page import webhook, webhook_order
from newsletter.web.failures import broken, refusing
from newsletter.web.figures import Figures
from newsletter.web.guard import MOST_BYTES, MOST_PUSHED, MOST_UPLOADED, guarded
from newsletter.web.headers import SecurityHeaders, security_headers
from newsletter.web.policy import ACCESS
from newsletter.web.public.approval import approval
from newsletter.web.public.approval_mail import approval_mail
from newsletter.web.public.archive import archive
from newsletter.web.public.archive_editions import archive_editions
from newsletter.web.public.archive_feed import archive_feed
from newsletter.web.public.archive_issue import archive_issue
from newsletter.web.public.archive_newsletter import archive_newsletter
from newsletter.web.public.archive_story import archive_story
from newsletter.web.public.confirm import confirm
from newsletter.web.public.data_address import address_change, data_address
from newsletter.web.public.data_delete import data_delete
from newsletter.web.public.data_mail import data_mail
from newsletter.web.public.flag import flag
from newsletter.web.public.follow import follow
from newsletter.web.public.link_mail import link_mail
from newsletter.web.public.link_needed import link_needed
from newsletter.web.public.livez import livez
from newsletter.web.public.own_data import data_file, own_data
from newsletter.web.public.preferences import preferences
from newsletter.web.public.readyz import readyz
from newsletter.web.public.report import report
from newsletter.web.public.static import static
from newsletter.web.public.subscribe import subscribe
from newsletter.web.public.unsubscribe import unsubscribe
from newsletter.web.public.view import view

__all__ = ["make_app"]

_IMPORT, _API_IMPORT = "/subscribers/import", "/api/v1/subscribers/imports"

GET, POST, BOTH = ("GET",), ("POST",), ("GET", "POST")

ROUTES: tuple[tuple[str, tuple[str, ...], Action], ...] = (
    ("/", GET, board),
    ("/issues", GET, issue_list),
    ("/issues/{issue:issue}", GET, issue),
    ("/issues/{issue:issue}/mail", GET, issue_mail),
    ("/issues/{issue:issue}/approve", POST, issue_approve),
    ("/issues/{issue:issue}/arrange", POST, issue_arrange),
    ("/issues/{issue:issue}/words", POST, issue_words),
    ("/issues/{issue:issue}/story", GET, issue_story),
    ("/issues/{issue:issue}/story", POST, issue_story_change),
    ("/issues/{issue:issue}/revisions", GET, issue_revisions),
    ("/issues/{issue:issue}/restore", POST, issue_restore),
    ("/issues/{issue:issue}/build", POST, issue_build),
    ("/issues/{issue:issue}/proof", POST, issue_proof),
    ("/issues/{issue:issue}/undo", POST, issue_undo),
    ("/issues/{issue:issue}/stop", POST, issue_stop),
    ("/issues/{issue:issue}/rest", POST, issue_rest),
    ("/issues/{issue:issue}/cancel", POST, issue_cancel),
    ("/issues/{issue:issue}/correct", BOTH, issue_correct),
    ("/issues/{issue:issue}/decide", POST, issue_decide),
    ("/issues/{issue:issue}/live", GET, issue_live),
    ("/issues/{issue:issue}/reader", POST, issue_reader),
    ("/issues/{issue:issue}/recipients", GET, issue_recipients),
    ("/after", GET, day_after),
    ("/reports", GET, report_list),
    ("/reports/{number:int}", POST, report_change),
    ("/stories", GET, story_list),
    ("/stories/file", POST, story_file),
    ("/schedules", GET, schedule_list),
    ("/schedules/pause", BOTH, schedule_pause_all),
    ("/schedules/file", GET, schedule_file),
    ("/schedules/file/check", POST, schedule_file_check),
    ("/schedules/file/diff", POST, schedule_file_diff),
    ("/schedules/file/save", POST, schedule_file_save),
    ("/schedules/file/schema", GET, schedule_file_schema),
    ("/schedules/file/apply", BOTH, schedule_apply),
    ("/schedules/{name}", GET, schedule_newsletter),
    ("/schedules/{name}/pause", BOTH, schedule_pause),
    ("/schedules/{name}/resume", BOTH, schedule_resume),
    ("/schedules/{name}/skip", BOTH, schedule_skip),
    ("/schedules/{name}/move", BOTH, schedule_move),
    ("/schedules/{name}/extra", BOTH, schedule_extra),
    ("/schedules/{name}/run", BOTH, schedule_run),
    ("/schedules/{name}/end/{overlay:int}", BOTH, schedule_end),
    ("/schedules/{issue:issue}", GET, schedule_slot),
    ("/sources", GET, source_list),
    ("/sources/{source}/switch", BOTH, source_switch),
    ("/templates", GET, template_list),
    ("/templates/start", POST, template_start),
    ("/templates/file", GET, template_file),
    ("/templates/check", POST, template_check),
    ("/templates/mail", BOTH, template_mail),
    ("/templates/save", POST, template_save),
    ("/templates/shipped", POST, template_shipped),
    ("/subscribers", GET, subscriber_list),
    ("/subscribers/one", GET, subscriber),
    ("/subscribers/one", POST, subscriber_change),
    ("/subscribers/one/file", POST, subscriber_data),
    (_IMPORT, GET, subscriber_import),
    (_IMPORT, POST, subscriber_upload),
    (f"{_IMPORT}/{{brought}}", GET, subscriber_file),
    (f"{_IMPORT}/{{brought}}", POST, subscriber_file_order),
    (f"{_IMPORT}/{{brought}}/rejects", GET, subscriber_rejects),
    ("/subscribers/export", POST, subscriber_export),
    ("/bounces", GET, bounce_held),
    ("/bounces", POST, bounce_settle),
    ("/outbox", GET, outbox),
    ("/outbox/{newsletter}/{day}", GET, outbox_folder),
    ("/outbox/{newsletter}/{day}/{file}", GET, outbox_message),
    ("/outbox/{newsletter}/{day}/{file}/mail", GET, outbox_mail),
    ("/users", GET, user_list),
    ("/users/invite", POST, user_invite),
    ("/users/{account:int}/role", POST, user_role),
    ("/users/{account:int}/disable", POST, user_disable),
    ("/users/{account:int}/enable", POST, user_enable),
    ("/users/{account:int}/link", POST, user_link),
    ("/users/{account:int}/totp", POST, user_totp),
    ("/tokens", GET, token_list),
    ("/tokens/make", POST, token_make),
    ("/tokens/{number:int}/revoke", POST, token_revoke),
    ("/webhooks", GET, webhook_list),
    ("/webhooks/make", POST, webhook_make),
    ("/webhooks/{number:int}", GET, webhook),
    ("/webhooks/{number:int}", POST, webhook_order),
    ("/audit", GET, audit_list),
    ("/settings", GET, setting_list),
    ("/account", GET, account),
    ("/account/password", POST, account_password),
    ("/account/sessions/end", POST, account_session_end),
    ("/account/totp", GET, account_totp),
    ("/account/totp/begin", POST, account_totp_begin),
    ("/account/totp/confirm", POST, account_totp_confirm),
    ("/account/totp/codes", POST, account_totp_codes),
    ("/account/totp/end", POST, account_totp_end),
    ("/login", BOTH, login),
    ("/login/code", POST, login_code),
    ("/login/link/{token}", BOTH, login_link),
    ("/logout", POST, logout),
    ("/forgot", BOTH, forgot),
    ("/password/{token}", BOTH, password),
    ("/approve/{token}", BOTH, approval),
    ("/approve/{token}/mail", GET, approval_mail),
    ("/view/{token}", GET, view),
    ("/to/{link}", GET, follow),
    ("/unsubscribe/", GET, link_needed),
    ("/unsubscribe/{token}", BOTH, unsubscribe),
    ("/subscribe", BOTH, subscribe),
    ("/confirm/{token}", BOTH, confirm),
    ("/preferences/", BOTH, link_mail),
    ("/preferences/{token}", BOTH, preferences),
    ("/data/", BOTH, data_mail),
    ("/data/{token}", GET, own_data),
    ("/data/{token}/file", GET, data_file),
    ("/data/{token}/address", BOTH, data_address),
    ("/data/{token}/delete", BOTH, data_delete),
    ("/move/{token}", BOTH, address_change),
    ("/report/{token}", BOTH, report),
    ("/archive/", GET, archive),
    ("/archive/{newsletter}/", GET, archive_newsletter),
    ("/archive/{newsletter}/feed.xml", GET, archive_feed),
    ("/archive/{newsletter}/stories/{story}", GET, archive_story),
    ("/archive/{newsletter}/{day:archived}", GET, archive_issue),
    ("/archive/{newsletter}/{day:archived}/editions", GET, archive_editions),
    ("/api/v1/stories", POST, story_push),
    ("/api/v1/sources/{source}/ghost", POST, ghost_webhook),
    ("/api/v1/bounces/sns", POST, bounces_sns),
    ("/api/v1/me", GET, me),
    ("/api/v1/stories", GET, api_stories),
    ("/api/v1/stories/one", GET, api_story),
    ("/api/v1/stories/withdraw", POST, api_story_withdraw),
    ("/api/v1/newsletters", GET, api_newsletters),
    ("/api/v1/issues", GET, api_issues),
    ("/api/v1/issues/{newsletter}/{day:archived}", GET, api_issue),
    ("/api/v1/issues/{newsletter}/{day:archived}/books", GET, api_books),
    ("/api/v1/subscribers", GET, api_subscribers),
    ("/api/v1/subscribers", POST, api_subscriber_add),
    (_API_IMPORT, POST, api_import),
    (f"{_API_IMPORT}/{{brought}}", GET, api_import_look),
    (f"{_API_IMPORT}/{{brought}}/rejects", GET, api_import_rejects),
    ("/api/v1/subscribers/{number:int}", GET, api_subscriber),
    ("/api/v1/subscribers/{number:int}/preferences", POST, api_subscriber_preferences),
    ("/api/v1/subscribers/{number:int}/unsubscribe", POST, api_subscriber_unsubscribe),
    ("/api/v1/suppressions", POST, api_suppress),
    ("/api/v1/suppressions/lift", POST, api_unsuppress),
    ("/api/v1/openapi.json", GET, openapi),
    ("/flags/{name}", GET, flag),
    ("/static/{name}", GET, static),
    ("/livez", GET, livez),
    ("/readyz", GET, readyz),
)


class _BodyLimits:
    """Programs may send more than a form holds, and one form takes a file."""

    def __init__(self, app: ASGIApp) -> None:
        self._forms = RequestBodyLimitMiddleware(app, max_body_size=MOST_BYTES)
        self._programs = RequestBodyLimitMiddleware(app, max_body_size=MOST_PUSHED)
        self._uploads = RequestBodyLimitMiddleware(app, max_body_size=MOST_UPLOADED + MOST_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        programs = self._programs if path.startswith("/api/") else self._forms
        bound = self._uploads if path in (_IMPORT, _API_IMPORT) else programs
        # Counted as it comes: where it is announced as too long Starlette answers by itself, in English, with no page.
        headers = [each for each in scope.get("headers", ()) if each[0] != b"content-length"]
        await bound({**scope, "headers": headers} if path else scope, receive, send)


def make_app(room: Newsroom) -> Starlette:
    """The application of one desk. Every route has its line in `newsletter.web.policy.ACCESS`, or this fails."""
    register_convertors()
    figures = Figures(room)
    routes = [
        Route(path, guarded(room, figures, ACCESS[action.__name__], action), name=action.__name__, methods=methods)
        for path, methods, action in ROUTES
    ]
    https = room.settings.base_url.startswith("https:")
    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(SecurityHeaders, https=https),
            Middleware(_BodyLimits),
        ],
        exception_handlers={
            HTTPException: refusing(room, figures),
            Exception: broken(room, figures, security_headers(https)),
        },
    )
    # /path and /path/ are two addresses, and only one of them exists: nothing is judged twice.
    app.router.redirect_slashes = False
    return app
