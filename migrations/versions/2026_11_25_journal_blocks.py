"""Blocks of the journal: the chain, and what keeps them as they are

Revision ID: journal_blocks
Revises: credit_data
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "journal_blocks"
down_revision: str | None = "credit_data"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

APPEND_ONLY = ("events", "event_seals", "journal_blocks")

REFUSE = """
    create function journal_refuse_change() returns trigger language plpgsql as $$
    begin
        if coalesce(current_setting('headroom.journal_maintenance', true), '') <> 'on' then
            raise exception 'the journal is only ever added to' using errcode = 'insufficient_privilege';
        end if;
        return null;
    end $$
"""

DELETE_OLDER = """
    create function journal_delete_older(instant timestamptz, batch bigint)
    returns table (deleted_events bigint, first_block bigint, first_seq bigint, previous bytea)
    language plpgsql security definer set search_path from current as $$
    #variable_conflict use_column
    declare
        floor timestamptz := least(instant, now() - interval '30 days');
        until bigint;
        deleted bigint;
    begin
        select max(b.last_seq) into until
        from (
            select c.number, c.first_seq, c.last_seq,
                   sum(c.last_seq - c.first_seq + 1) over (order by c.number) as total,
                   row_number() over (order by c.number) as place,
                   bool_or(exists (
                       select from event_seals s join events e on e.id = s.event_id
                       where s.seq between c.first_seq and c.last_seq and e.at >= floor
                   )) over (order by c.number) as reaches_young
            from (
                select j.number, j.first_seq, j.last_seq from journal_blocks j
                where j.number < (select max(l.number) from journal_blocks l)
                order by j.number limit least(batch, 10000)
            ) c
        ) b
        where not b.reaches_young and (b.total <= batch or b.place = 1);
        if until is null then
            return;
        end if;
        perform set_config('headroom.journal_maintenance', 'on', true);
        with unsealed as (delete from event_seals s where s.seq <= until returning s.event_id),
             gone as (delete from events e using unsealed where e.id = unsealed.event_id returning e.id)
        select count(*) into deleted from gone;
        delete from journal_blocks b where b.last_seq <= until;
        perform set_config('headroom.journal_maintenance', '', true);
        return query
            select deleted, b.number, b.first_seq, b.previous from journal_blocks b order by b.number limit 1;
    end $$
"""


def upgrade() -> None:
    op.create_table(
        "journal_blocks",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("last_seq >= first_seq", name=op.f("ck_journal_blocks_not_empty")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_journal_blocks")),
    )
    op.create_index("uq_journal_blocks_first_seq", "journal_blocks", ["first_seq"], unique=True)
    op.execute(REFUSE)
    for table in APPEND_ONLY:
        op.execute(
            f"create trigger {table}_only_added_to before update or delete or truncate on {table}"
            " for each statement execute function journal_refuse_change()"
        )
    op.execute(DELETE_OLDER)
    op.execute("revoke all on function journal_delete_older(timestamptz, bigint) from public")


def downgrade() -> None:
    op.execute("drop function journal_delete_older(timestamptz, bigint)")
    for table in APPEND_ONLY:
        op.execute(f"drop trigger {table}_only_added_to on {table}")
    op.execute("drop function journal_refuse_change()")
    op.drop_table("journal_blocks")
