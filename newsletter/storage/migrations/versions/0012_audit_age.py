"""Lines of the audit log may go when they are over a year old, and change never; issues whose readers are forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_WORDS = "the audit log is append-only"


def upgrade() -> None:
    op.add_column("issue", sa.Column("pruned_at", sa.DateTime(timezone=True), nullable=True))
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER audit_no_delete")
        op.execute(
            "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit"
            " WHEN julianday('now') - julianday(OLD.at) < 365"
            f" BEGIN SELECT RAISE(ABORT, '{_WORDS}'); END"
        )
        return
    op.execute("DROP TRIGGER audit_stays ON audit")
    op.execute(
        "CREATE TRIGGER audit_stays BEFORE UPDATE OR TRUNCATE ON audit"
        " FOR EACH STATEMENT EXECUTE FUNCTION newsletter_audit_stays()"
    )
    op.execute(
        "CREATE TRIGGER audit_stays_a_year BEFORE DELETE ON audit FOR EACH ROW"
        " WHEN (OLD.at > clock_timestamp() - interval '365 days')"
        " EXECUTE FUNCTION newsletter_audit_stays()"
    )
