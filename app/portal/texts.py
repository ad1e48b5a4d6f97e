"""What the page inside the portal says, in the portal's language."""

from __future__ import annotations

from dataclasses import dataclass

from app.portal.errors import (
    AccessLost,
    Nonsense,
    NotPermitted,
    PortalError,
    Refused,
    TryLater,
)
from app.portal.register import Action


@dataclass(frozen=True)
class Texts:
    """All texts of the page in one language; ``_advice`` is what the portal's user can do."""

    language: str
    title: str
    done: str
    done_lead: str
    failed: str
    failed_lead: str
    elsewhere: str
    elsewhere_lead: str
    actions: dict[Action, str]
    next: str
    steps: tuple[str, ...]
    retry: str
    request: str
    _advice: dict[type[PortalError], str]

    def advice(self, error: BaseException | None) -> str:
        """What to do about ``error``, or nothing if only the operator can tell."""
        found = (text for kind, text in self._advice.items() if isinstance(error, kind))
        return next(found, "")


_ENGLISH = Texts(
    language="en",
    title="Database connector",
    done="The connector is installed",
    done_lead="Your portal can now read these databases:",
    failed="The installation has failed",
    failed_lead="Nothing has to be undone: installing again goes on from here. The reason:",
    elsewhere="This page opens inside Bitrix24",
    elsewhere_lead=(
        "It is the installation path of a local application: enter this address in the portal "
        "under Developer resources, Other, Local application, and install it there."
    ),
    actions={
        Action.ADDED: "added",
        Action.UPDATED: "brought up to date",
        Action.UNCHANGED: "was already in place",
    },
    next="What to do next",
    steps=(
        "Open BI Builder, then the analyst workspace, and choose “Connect” among the sources.",
        "Choose the tile, give the connection a name and enter the token that the operator of "
        "your database gave you.",
        "Choose a table, make a dataset of it and build your first report.",
    ),
    retry="Then close this window and install the application again.",
    request="Tell the operator of the service this number",
    _advice={
        TryLater: "The portal could not answer just now: wait a few minutes.",
        NotPermitted: (
            "Give the application the right “BI Connector” (biconnector) and yourself "
            "access to the BI Builder."
        ),
        AccessLost: "The portal no longer takes the tokens it has given out.",
        Nonsense: "Something between this service and the portal changes the answers.",
        Refused: "The portal does not take what was sent; the operator has to look at it.",
    },
)

_RUSSIAN = Texts(
    language="ru",
    title="Коннектор баз данных",
    done="Коннектор установлен",
    done_lead="Теперь портал может читать эти базы данных:",
    failed="Установка не удалась",
    failed_lead="Отменять ничего не нужно: повторная установка продолжит с этого места. Причина:",
    elsewhere="Эта страница открывается внутри Битрикс24",
    elsewhere_lead=(
        "Это путь для первоначальной установки локального приложения: укажите этот адрес на "
        "портале в разделе «Разработчикам → Другое → Локальное приложение» и установите его там."
    ),
    actions={
        Action.ADDED: "добавлен",
        Action.UPDATED: "обновлён",
        Action.UNCHANGED: "уже на месте",
    },
    next="Что делать дальше",
    steps=(
        "Откройте BI-конструктор, рабочее место аналитика и подключите новый источник.",
        "Выберите плитку коннектора, назовите подключение и введите токен, который выдал "
        "администратор базы данных.",
        "Выберите таблицу, создайте из неё датасет и постройте первый отчёт.",
    ),
    retry="Затем закройте это окно и установите приложение ещё раз.",
    request="Сообщите администратору сервиса этот номер",
    _advice={
        TryLater: "Портал сейчас не смог ответить: подождите несколько минут.",
        NotPermitted: (
            "Дайте приложению право «BI-коннектор» (biconnector), а себе — доступ к "
            "BI-конструктору."
        ),
        AccessLost: "Портал больше не принимает выданные им токены.",
        Nonsense: "Что-то между этим сервисом и порталом меняет ответы.",
        Refused: "Портал не принимает то, что ему отправлено; это дело администратора сервиса.",
    },
)

_RUSSIAN_LANGUAGES = ("ru", "by", "kz")


def texts(language: str) -> Texts:
    """The texts for a portal's LANG; English where there are no others."""
    return _RUSSIAN if language.lower()[:2] in _RUSSIAN_LANGUAGES else _ENGLISH
