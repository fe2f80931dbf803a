"""The names of the factors that a scorecard may judge by; their formulas are with the assessments."""

from __future__ import annotations

from enum import StrEnum


class Independence(StrEnum):
    """How independent of the customer the source of a fact is; best first."""

    OWN_EXPERIENCE = "own_experience"
    AUDITED = "audited"
    AGENCY = "agency"
    SELF_DECLARED = "self_declared"


class Factor(StrEnum):
    """Every factor of the library, by family. The unit is part of the formula's docstring."""

    # ratios of a financial statement
    CURRENT_RATIO = "current_ratio"
    QUICK_RATIO = "quick_ratio"
    CASH_RATIO = "cash_ratio"
    EQUITY_RATIO = "equity_ratio"
    LIABILITIES_TO_ASSETS = "liabilities_to_assets"
    DEBT_TO_EQUITY = "debt_to_equity"
    RETURN_ON_ASSETS = "return_on_assets"
    EBIT_TO_ASSETS = "ebit_to_assets"
    EBIT_MARGIN = "ebit_margin"
    NET_MARGIN = "net_margin"
    INTEREST_COVER = "interest_cover"
    CASH_FLOW_TO_LIABILITIES = "cash_flow_to_liabilities"
    OPERATING_CASH_FLOW_TO_LIABILITIES = "operating_cash_flow_to_liabilities"
    RETAINED_EARNINGS_TO_ASSETS = "retained_earnings_to_assets"
    WORKING_CAPITAL_TO_ASSETS = "working_capital_to_assets"
    ASSET_TURNOVER = "asset_turnover"
    SALES_GROWTH = "sales_growth"
    RECEIVABLE_DAYS = "receivable_days"
    INVENTORY_DAYS = "inventory_days"
    SHORT_TERM_DEBT_DAYS = "short_term_debt_days"
    MARKET_VALUE_TO_LIABILITIES = "market_value_to_liabilities"
    # models of the literature
    ALTMAN_Z = "altman_z"
    ALTMAN_Z_PRIVATE = "altman_z_private"
    ALTMAN_Z_DOUBLE_PRIME = "altman_z_double_prime"
    ALTMAN_EM = "altman_em"
    ZMIJEWSKI = "zmijewski"
    OHLSON = "ohlson"
    SPRINGATE = "springate"
    WORKING_ASSETS = "working_assets"
    # own experience
    PAYMENT_INDEX = "payment_index"
    SHARE_ON_TIME = "share_on_time"
    AVERAGE_DAYS_LATE = "average_days_late"
    LONGEST_LATENESS = "longest_lateness"
    DISPUTED_SHARE = "disputed_share"
    BROKEN_PROMISES = "broken_promises"
    RELATION_MONTHS = "relation_months"
    SETTLED_ITEMS = "settled_items"
    # agencies and trade references
    AGENCY_SCORE = "agency_score"
    AGENCY_PROBABILITY = "agency_probability"
    REFERENCES_DAYS_LATE = "references_days_late"
    # the company itself
    AGE_YEARS = "age_years"
    SIZE_CLASS = "size_class"
    INDUSTRY_RISK = "industry_risk"
    COUNTRY_RISK = "country_risk"
    # adverse events
    ADVERSE_SEVERITY = "adverse_severity"
    ADVERSE_COUNT = "adverse_count"
    INSOLVENCY = "insolvency"
    # answers of the questionnaire: needs `item`
    QUESTIONNAIRE = "questionnaire"
