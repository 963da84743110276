"""Expressions in plain words."""

import pytest

from reconciler import cron

WORDS = {
    "46 12 ? * * *": "daily at 12:46",
    "12 46 ? * * *": "every hour at :46:12",
    "* * * * *": "every minute",
    "*/15 * * * *": "every 15 minutes",
    "0 * * * *": "every hour at :00",
    "0,30 * * * *": "every hour at :00 and :30",
    "5,20,50 * * * *": "every hour at :05, :20 and :50",
    "0 */4 * * *": "every 4 hours at :00",
    "0 0,12 * * *": "daily at 00:00 and 12:00",
    "0 16 * * MON-FRI": "at 16:00 on Monday to Friday",
    "22 13-15 ? * MON-FRI *": "at 13:22, 14:22 and 15:22 on Monday to Friday",
    "0 8-18 * * *": "daily at :00 past hours 8 to 18",
    "*/5 9 * * *": "every 5 minutes past hour 9",
    "* 9-17 * * SAT,SUN": "every minute past hours 9 to 17 on Saturday and Sunday",
    "0-20 8-9 * * *": "daily at minutes 0 to 20 past hours 8 and 9",
    "0-20 * * * *": "every hour at minutes 0 to 20",
    "0 0 ? * FRI-SUN *": "at 00:00 on Friday to Sunday",
    "0 0 * * MON,WED,FRI": "at 00:00 on Monday, Wednesday and Friday",
    "0 0 * * 6-1": "at 00:00 on Monday, Saturday and Sunday",
    "0 0 1 * *": "at 00:00 on the 1st of the month",
    "0 0 2,3,11-13,22 * *": "at 00:00 on the 2nd, 3rd, 11th to 13th and 22nd of the month",
    "0 0 L * *": "at 00:00 on the last day of the month",
    "0 0 LW * *": "at 00:00 on the last workday of the month",
    "0 0 15W 1 ? *": "at 00:00 on the workday nearest the 15th of the month in January",
    "0 0 1,L * *": "at 00:00 on the 1st and the last day of the month",
    "0 0 * * 1#1": "at 00:00 on the 1st Monday of the month",
    "0 0 * * 6L": "at 00:00 on the last Saturday of the month",
    "0 0 1 * MON": "at 00:00 on the 1st of the month or on Monday",
    "0 0 1 * MON *": "at 00:00 on the 1st of the month if it is Monday",
    "0 0 1-31 * MON": "daily at 00:00",
    "0 0 5 1/3 ? *": "at 00:00 on the 5th of the month in January, April, July and October",
    "0 0 * NOV-FEB *": "daily at 00:00 in January, February, November and December",
    "0 0 1 1 ? 2027": "at 00:00 on the 1st of the month in January in 2027",
    "0 9 ? * * 2026-2030 EU2": "daily at 09:00 in 2026 to 2030 (Europe/Berlin)",
    "*/10 * ? * * ?": "every 10 seconds",
    "* * ? * * ?": "every second",
    "*/20 45 10 ? * MON": "at 10:45:00, 10:45:20 and 10:45:40 on Monday",
    "*/5 45 10 ? * MON": "every 5 seconds of minute 45 past hour 10 on Monday",
    "1,7 * ? * * ?": "at seconds 1 and 7 of every minute",
    "7 * ? * * ?": "at second 7 of every minute",
    "@weekly": "at 00:00 on Sunday",
    "@hourly": "every hour at :00",
}


@pytest.mark.parametrize("text", WORDS)
def test_an_expression_is_told_in_plain_words(text: str) -> None:
    assert cron.parse(text, "ECB_FX").describe() == WORDS[text]
