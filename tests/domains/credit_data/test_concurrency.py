"""Many who enter the same record at once."""

from __future__ import annotations

import asyncio

from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import text

from tests.domains.credit_data.http import C1, COVER, REPORT, STATEMENT, customer


class TestAtOnce:
    async def test_the_same_report_is_entered_once(self, api: AsyncClient) -> None:
        await customer(api)
        answers = await asyncio.gather(*(api.post(f"{C1}/credit-reports", json=REPORT) for _ in range(6)))
        assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]

    async def test_reports_that_contradict_each_other_are_a_conflict_but_for_one(self, api: AsyncClient) -> None:
        await customer(api)
        answers = await asyncio.gather(
            *(api.post(f"{C1}/credit-reports", json=REPORT | {"rating": f"A{n}"}) for n in range(6))
        )
        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5

    async def test_every_version_has_a_number_of_its_own(self, api: AsyncClient, app: FastAPI) -> None:
        await customer(api)
        await asyncio.gather(
            *(api.put(f"{C1}/financial-statements/2025-12-31", json=STATEMENT | {"months": n}) for n in range(1, 9)),
            *(api.put(f"{C1}/covers/P", json=COVER | {"amount": f"{n}.00"}) for n in range(1, 5)),
        )
        async with app.state.engine.connect() as connection:
            rows = await connection.execute(
                text(
                    "select kind, array_agg(version order by version), count(*) filter (where superseded_at is null)"
                    " from credit_records group by kind order by kind"
                )
            )
            found = [tuple(row) for row in rows]
        assert found == [("cover", [1, 2, 3, 4], 1), ("financial_statement", list(range(1, 9)), 1)]
