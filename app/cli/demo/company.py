"""Who buys from the demo company: some sixty customers of five countries. Names are invented."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Habit(StrEnum):
    """How a customer pays."""

    EARLY = "early"
    """Within the discount period, less the discount."""
    PROMPT = "prompt"
    SLOW = "slow"
    """A week or two late."""
    PARTLY = "partly"
    """Half when due, the rest a month later."""
    LATE = "late"
    """Five weeks late."""
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Country:
    """What a customer's country says about it: its language, and the currencies of its account and its orders."""

    language: str
    account_currency: str
    order_currency: str
    thousand: int
    """What a limit of one thousand euros is, roughly, in the currency of its orders."""


COUNTRIES: Final[Mapping[str, Country]] = {
    "CN": Country("zh-CN", "CNY", "CNY", 7_500),
    "DE": Country("de-DE", "EUR", "EUR", 1_000),
    "FR": Country("fr-FR", "EUR", "EUR", 1_000),
    "JP": Country("ja-JP", "JPY", "JPY", 160_000),
    "GB": Country("en-GB", "CNY", "EUR", 1_000),
}
"""British customers order in euros on accounts kept in yuan: each of their postings is converted."""


@dataclass(frozen=True, slots=True)
class Party:
    """One customer. `limit` is in thousands of euros, converted to its account; null: nobody has decided."""

    customer_id: str
    name: str
    country: str
    limit: int | None
    habit: Habit = Habit.PROMPT
    net_days: int = 30
    parent_id: str | None = None

    @property
    def home(self) -> Country:
        """Its country."""
        return COUNTRIES[self.country]

    @property
    def limit_amount(self) -> int | None:
        """The limit in the currency of its account."""
        if self.limit is None:
            return None
        thousand = COUNTRIES["CN"].thousand if self.home.account_currency == "CNY" else self.home.thousand
        return self.limit * thousand


REGULARS: Final = (
    Party("C10001", "宁波海川机电有限公司", "CN", 120, Habit.PROMPT),
    Party("C10002", "苏州恒瑞自动化科技有限公司", "CN", 90, Habit.PROMPT),
    Party("C10003", "佛山顺达五金制品有限公司", "CN", 40, Habit.SLOW),
    Party("C10004", "青岛蓝湾船舶配件有限公司", "CN", 75, Habit.PARTLY, 45),
    Party("C10005", "杭州云启信息技术股份有限公司", "CN", 60, Habit.EARLY),
    Party("C10006", "沈阳北重机床有限公司", "CN", 150, Habit.LATE, 45),
    Party("C10007", "东莞市精密模具厂", "CN", 25, Habit.SLOW),
    Party("C10008", "成都锦江电气有限公司", "CN", 55, Habit.PROMPT),
    Party("C10009", "武汉长江泵业有限公司", "CN", 80, Habit.PARTLY),
    Party("C10010", "西安秦岭仪器仪表有限公司", "CN", 35, Habit.PROMPT),
    Party("C10011", "厦门鹭岛国际贸易有限公司", "CN", 65, Habit.SLOW),
    Party("C10012", "长沙湘江工程机械有限公司", "CN", 110, Habit.PROMPT, 60),
    Party("C10013", "天津渤海化工装备有限公司", "CN", 95, Habit.LATE),
    Party("C10014", "合肥科创半导体有限公司", "CN", 70, Habit.EARLY),
    Party("C10015", "温州瓯江阀门有限公司", "CN", 30, Habit.NEVER),
    Party("C10016", "无锡太湖轴承有限公司", "CN", 45, Habit.PROMPT),
    Party("C20001", "Brenner & Söhne Antriebstechnik GmbH", "DE", 85, Habit.EARLY),
    Party("C20002", "Rheintal Armaturen GmbH", "DE", 60, Habit.PROMPT),
    Party("C20003", "Küstermann Fördertechnik KG", "DE", 45, Habit.SLOW),
    Party("C20004", "Oberhaus Werkzeugbau GmbH & Co. KG", "DE", 30, Habit.PROMPT, 14),
    Party("C20005", "Lindau Messsysteme AG", "DE", 120, Habit.PROMPT),
    Party("C20006", "Weserland Landmaschinen eG", "DE", 50, Habit.PARTLY),
    Party("C20007", "Thüringer Glashütte GmbH", "DE", 20, Habit.LATE),
    Party("C20008", "Spreewerk Elektronik GmbH", "DE", 40, Habit.PROMPT),
    Party("C20009", "Altmühl Verpackungen GmbH", "DE", 25, Habit.SLOW),
    Party("C30001", "東海精密工業株式会社", "JP", 100, Habit.PROMPT, 60),
    Party("C30002", "株式会社北陸電装", "JP", 55, Habit.PROMPT, 60),
    Party("C30003", "瀬戸内造船部品株式会社", "JP", 70, Habit.EARLY),
    Party("C30004", "有限会社三河金型製作所", "JP", 20, Habit.SLOW),
    Party("C30005", "信州計測機器株式会社", "JP", 40, Habit.PROMPT),
    Party("C30006", "株式会社多摩ロボティクス", "JP", 65, Habit.PARTLY),
    Party("C40001", "Calder Valley Engineering Ltd", "GB", 60, Habit.PROMPT),
    Party("C40002", "Thornbury Pumps & Valves Ltd", "GB", 35, Habit.SLOW),
    Party("C40003", "Ashworth Marine Supplies plc", "GB", 90, Habit.PROMPT, 45),
    Party("C40004", "Pennine Textile Machinery Ltd", "GB", 25, Habit.LATE),
    Party("C40005", "Harcourt Instruments Ltd", "GB", 40, Habit.EARLY),
    Party("C50001", "Ateliers Mécaniques du Rhône SAS", "FR", 70, Habit.PROMPT, 45),
    Party("C50002", "Sociétés Réunies de Robinetterie SA", "FR", 50, Habit.SLOW, 45),
    Party("C50003", "Établissements Lefort et Fils", "FR", 20, Habit.PROMPT),
    Party("C50004", "Breizh Équipements Marins SARL", "FR", 30, Habit.PARTLY),
    Party("C50005", "Optique Savoyarde SAS", "FR", 45, Habit.PROMPT),
    Party("C50006", "Manufacture Vosgienne de Câbles", "FR", 35, Habit.LATE),
)
"""Customers that order, receive, owe and pay as most do."""

HANSA: Final = Party("C60001", "Hansa Maschinenbau Holding AG", "DE", None)
HANSA_MEMBERS: Final = (
    Party("C60002", "Hansa Getriebe GmbH", "DE", 60, Habit.PROMPT, parent_id="C60001"),
    Party("C60003", "Hansa Hydraulik GmbH", "DE", None, Habit.SLOW, parent_id="C60001"),
    Party("C60004", "Hansa Maschinenbau (Suzhou) Co., Ltd.", "CN", 60, Habit.PROMPT, parent_id="C60001"),
)
HANSA_GROUP_LIMIT: Final = 90_000
"""In euros: less than its members' own limits together, so that it is the one that binds."""

HUADONG: Final = (
    Party("C61001", "华东精密集团有限公司", "CN", 200, Habit.PROMPT, 60),
    Party("C61002", "华东精密（昆山）有限公司", "CN", 80, Habit.PROMPT, parent_id="C61001"),
    Party("C61003", "昆山华东刀具有限公司", "CN", 30, Habit.SLOW, parent_id="C61002"),
    Party("C61004", "昆山华东热处理有限公司", "CN", 20, Habit.PARTLY, parent_id="C61002"),
)
"""A group of two levels without a shared limit: each member is judged by its own."""

SHOWCASE: Final = Party("C70001", "南京钟山机械有限公司", "CN", 80)
INSOLVENT: Final = Party("C70002", "Möllner Stahlhandel GmbH i. I.", "DE", 30)
UNDER_REVIEW: Final = Party("C70003", "Greystone Tooling Ltd", "GB", 40)
NO_CREDIT: Final = Party("C70004", "Comptoir du Matériel d'Occasion", "FR", 0)
UNLIMITED: Final = Party("C70005", "国家电力设备采购中心", "CN", None, net_days=60)
UNDECIDED: Final = Party("C70006", "株式会社新星商会", "JP", None)
EXPIRED: Final = Party("C70007", "Fontaine & Cie", "FR", 35)
SEASONAL: Final = Party("C70008", "広島季節機械株式会社", "JP", 30)
PREPAYING: Final = Party("C70009", "深圳市快捷电子商行", "CN", None)
EVERY_STATE: Final = Party("C70010", "大连港机械设备有限公司", "CN", 300)
SPECIAL: Final = (
    SHOWCASE,
    INSOLVENT,
    UNDER_REVIEW,
    NO_CREDIT,
    UNLIMITED,
    UNDECIDED,
    EXPIRED,
    SEASONAL,
    PREPAYING,
    EVERY_STATE,
)
"""One customer for each thing that a credit department has to deal with."""

TRADING: Final = (*REGULARS, *HANSA_MEMBERS, *HUADONG)
PARTIES: Final = (*REGULARS, HANSA, *HANSA_MEMBERS, *HUADONG, *SPECIAL)
