"""What an assessment says to people, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from app.domains.assessments.core.factors.asked import ENDLESS
from app.domains.assessments.core.grading import Cap, CapKind
from app.domains.assessments.core.lifting import Lift, LiftAction
from app.domains.assessments.core.scoring import FactorScore
from app.domains.policies.core.scorecard import Band, Question


class Language(StrEnum):
    """A language that reasons are written in."""

    ENGLISH = "en"
    CHINESE = "zh"


@dataclass(frozen=True, slots=True)
class Phrase:
    """The same in both languages."""

    en: str
    zh: str

    def of(self, language: Language) -> str:
        """In one of them."""
        return self.zh if language is Language.CHINESE else self.en


NAMES: Final[Mapping[str, Phrase]] = {
    "current_ratio": Phrase("Current ratio", "流动比率"),
    "quick_ratio": Phrase("Quick ratio", "速动比率"),
    "cash_ratio": Phrase("Cash ratio", "现金比率"),
    "equity_ratio": Phrase("Equity ratio", "权益比率"),
    "liabilities_to_assets": Phrase("Liabilities to assets", "资产负债率"),
    "debt_to_equity": Phrase("Debt to equity", "产权比率"),
    "return_on_assets": Phrase("Return on assets", "总资产净利率"),
    "ebit_to_assets": Phrase("EBIT to assets", "息税前资产利润率"),
    "ebit_margin": Phrase("EBIT margin", "息税前利润率"),
    "net_margin": Phrase("Net margin", "销售净利率"),
    "interest_cover": Phrase("Interest cover", "利息保障倍数"),
    "cash_flow_to_liabilities": Phrase("Cash flow to liabilities", "净利润加折旧与负债之比"),
    "operating_cash_flow_to_liabilities": Phrase("Operating cash flow to liabilities", "经营现金流负债比"),
    "retained_earnings_to_assets": Phrase("Retained earnings to assets", "留存收益资产比"),
    "working_capital_to_assets": Phrase("Working capital to assets", "营运资金资产比"),
    "asset_turnover": Phrase("Asset turnover", "总资产周转率"),
    "sales_growth": Phrase("Sales growth", "销售增长"),
    "receivable_days": Phrase("Receivable days", "应收账款周转天数"),
    "inventory_days": Phrase("Inventory days", "存货周转天数"),
    "short_term_debt_days": Phrase("Short-term debt days", "短期负债天数"),
    "market_value_to_liabilities": Phrase("Market value to liabilities", "市值负债比"),
    "altman_z": Phrase("Altman Z", "奥特曼 Z 值"),
    "altman_z_private": Phrase("Altman Z′", "奥特曼 Z′ 值"),
    "altman_z_double_prime": Phrase("Altman Z″", "奥特曼 Z″ 值"),
    "altman_em": Phrase("Altman EM score", "奥特曼新兴市场评分"),
    "zmijewski": Phrase("Zmijewski score", "Zmijewski 评分"),
    "ohlson": Phrase("Ohlson O", "奥尔森 O 值"),
    "springate": Phrase("Springate S", "Springate S 值"),
    "working_assets": Phrase("Evaluation of working assets", "营运资产评估值"),
    "payment_index": Phrase("Payment index", "付款指数"),
    "share_on_time": Phrase("Share paid on time", "按期付款比例"),
    "average_days_late": Phrase("Average days late", "平均逾期天数"),
    "longest_lateness": Phrase("Longest lateness", "最长逾期天数"),
    "disputed_share": Phrase("Share disputed", "争议比例"),
    "broken_promises": Phrase("Broken promises", "违约付款承诺"),
    "relation_months": Phrase("Months of business", "往来月数"),
    "settled_items": Phrase("Items settled", "已结清票据数"),
    "agency_score": Phrase("Agency score", "评级机构评分"),
    "agency_probability": Phrase("Agency's probability of default", "评级机构违约概率"),
    "references_days_late": Phrase("Days late at other suppliers", "对其他供应商的逾期天数"),
    "age_years": Phrase("Age of the company", "成立年限"),
    "size_class": Phrase("Size", "企业规模"),
    "industry_risk": Phrase("Industry risk", "行业风险"),
    "country_risk": Phrase("Country risk", "国家风险"),
    "adverse_severity": Phrase("Gravity of adverse events", "不良事件严重程度"),
    "adverse_count": Phrase("Adverse events", "不良事件数"),
    "insolvency": Phrase("Insolvency", "破产事件"),
    "questionnaire": Phrase("Questionnaire", "问卷"),
}
"""What each factor is called."""

KNOCK_OUTS: Final[Mapping[str, Phrase]] = {
    "insolvent": Phrase("Insolvency that is not over", "未了结的破产程序"),
    "serious_event": Phrase("Serious adverse event", "严重不良事件"),
    "country_class_5": Phrase("Country of risk class 5", "国家风险 5 级"),
    "country_class_6": Phrase("Country of risk class 6", "国家风险 6 级"),
    "country_class_7": Phrase("Country of risk class 7", "国家风险 7 级"),
}
"""What the knock-outs of the default policy are called."""

_LOST: Final = Phrase(
    "{name}: {value} ({band}) earns {points} of {most} points",
    "{name}：{value}（{band}），得 {points} 分，满分 {most} 分",
)
_MISSING: Final = Phrase(
    "{name}: nothing current is known; {points} of {most} points", "{name}：无有效资料，得 {points} 分，满分 {most} 分"
)
_CAPPED: Final = {
    CapKind.KNOCK_OUT: Phrase(
        "{name} ({value}, not tolerated {threshold}): grade {grade} at best",
        "{name}（{value}，触发 {threshold}）：等级最高为 {grade}",
    ),
    CapKind.CONFIDENCE: Phrase(
        "Only {value} % of the weight rests on trusted current facts: grade {grade} at best",
        "可信且有效的资料仅占权重的 {value} %：等级最高为 {grade}",
    ),
}
_LIFTED: Final = {
    LiftAction.IMPROVE: Phrase(
        "{name} {band}: {gain} points more{enough}", "{name}达到 {band}：增加 {gain} 分{enough}"
    ),
    LiftAction.PROVIDE: Phrase(
        "Current facts for {name} that lie in {band}: {gain} points more{enough}",
        "提供{name}的有效资料且位于 {band}：增加 {gain} 分{enough}",
    ),
    LiftAction.RESOLVE: Phrase(
        "{name}: must no longer apply, for grade {grade}", "“{name}”不再适用后：等级可升至 {grade}"
    ),
    LiftAction.SUPPORT: Phrase(
        "Current facts from more, and more independent, sources: grade {grade}",
        "补充更多、更独立的有效资料：等级可升至 {grade}",
    ),
}
_ENOUGH: Final = Phrase(", enough for grade {grade}", "，足以升至 {grade} 级")


def language_of(header: str | None) -> Language:
    """The language that an `Accept-Language` header (RFC 9110) asks for; English where it asks for neither.

    Of languages equally wanted the first counts; one with a weight of 0 is not wanted.
    """
    best, weight = Language.ENGLISH, Decimal(0)
    for part in (header or "")[:200].split(","):
        tag, _, parameters = part.strip().partition(";")
        wanted = _weight(parameters)
        spoken = next((each for each in Language if tag.split("-")[0].strip().lower() == each.value), None)
        if spoken is not None and wanted > weight:
            best, weight = spoken, wanted
    return best


def _weight(parameters: str) -> Decimal:
    name, _, number = parameters.strip().partition("=")
    if name.strip() != "q":
        return Decimal(1)
    number = number.strip()
    return Decimal(number) if number.replace(".", "", 1).isdecimal() and number.isascii() else Decimal(0)


def name_of(code: str, language: Language, questions: Mapping[str, Question] | None = None) -> str:
    """What a factor is called; a question by its text, and anything else by its code."""
    factor, _, item = code.partition(".")
    question = (questions or {}).get(item) if factor == "questionnaire" else None
    if question is not None:
        return question.question_zh or question.question if language is Language.CHINESE else question.question
    known = NAMES.get(factor) or KNOCK_OUTS.get(factor)
    if known is None:
        return code.replace("_", " ")
    name = known.of(language)
    return f"{name} ({item})" if item else name


def reason(factor: FactorScore, language: Language, questions: Mapping[str, Question] | None = None) -> str:
    """Why a factor lost points."""
    phrase = _MISSING if factor.missing else _LOST
    return phrase.of(language).format(
        name=name_of(factor.code, language, questions),
        value=number(factor.value),
        band=band_text(factor.band),
        points=f"{factor.points:f}",
        most=f"{factor.max_points:f}",
    )


def cap_reason(cap: Cap, language: Language) -> str:
    """Why a grade is capped."""
    return (
        _CAPPED[cap.kind]
        .of(language)
        .format(name=name_of(cap.code, language), value=number(cap.value), threshold=cap.threshold, grade=cap.grade)
    )


def lift_text(lift: Lift, language: Language, questions: Mapping[str, Question] | None = None) -> str:
    """What would lift the grade."""
    return (
        _LIFTED[lift.action]
        .of(language)
        .format(
            name=name_of(lift.code, language, questions),
            band=band_text(lift.band),
            gain="" if lift.gain is None else f"{lift.gain:f}",
            enough=_ENOUGH.of(language).format(grade=lift.grade) if lift.enough else "",
            grade=lift.grade,
        )
    )


def band_text(band: Band | None) -> str:
    """`0.1 … < 0.2`, `< 0.1`, `≥ 0.2`, or that it holds everything."""
    if band is None or (band.at_least is None and band.below is None):
        return "…"
    if band.at_least is None:
        return f"< {number(band.below)}"
    if band.below is None:
        return f"≥ {number(band.at_least)}"
    return f"{number(band.at_least)} … < {number(band.below)}"


def number(value: Decimal | None) -> str:
    """Plain notation without trailing zeros; ∞ for what has no end."""
    if value is None:
        return "–"
    if abs(value) >= ENDLESS:
        return "∞" if value > 0 else "−∞"
    return format(value.normalize(), "f")
