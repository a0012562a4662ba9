"""What is said in the seeded conversations, in both languages: every form that Markdown takes in the chat."""

_RICH = {
    "en": (
        "Show me how the ferry's timetable is worked out.",
        """## The timetable of the *Grey Heron*

She needs **40 minutes** a crossing, so the last boat back leaves at `19:20`.

| day | first | last | crossings |
| --- | :---: | :---: | ---: |
| Monday to Friday | 06:40 | 19:20 | 18 |
| Saturday | 08:00 | 20:00 | 16 |
| Sunday | 09:20 | 17:20 | 9 |

With a wind of speed $v$ against her she takes longer:

$$
t = \\frac{d}{u - v \\cos\\alpha}, \\qquad d = 9.5\\,\\mathrm{km}
$$

```python
def crossing(wind: float, angle: float, speed: float = 14.3) -> float:
    \"\"\"Minutes from Nurimae to the mainland; speeds in km/h.\"\"\"
    return 60 * 9.5 / (speed - wind * math.cos(angle))
```

- [x] tides are in the table already
- [ ] holidays are not

> On days of storm the harbour master decides.
""",
    ),
    "ko": (
        "연락선 시간표가 어떻게 정해지는지 보여 주세요.",
        """## *잿빛왜가리호* 시간표

한 번 건너는 데 **40분**이 걸리므로 돌아오는 마지막 배는 `19:20`에 떠납니다.

| 요일 | 첫 배 | 마지막 배 | 횟수 |
| --- | :---: | :---: | ---: |
| 월요일–금요일 | 06:40 | 19:20 | 18 |
| 토요일 | 08:00 | 20:00 | 16 |
| 일요일 | 09:20 | 17:20 | 9 |

맞바람의 속력이 $v$이면 더 오래 걸립니다.

$$
t = \\frac{d}{u - v \\cos\\alpha}, \\qquad d = 9.5\\,\\mathrm{km}
$$

```python
def crossing(wind: float, angle: float, speed: float = 14.3) -> float:
    \"\"\"누리매에서 뭍까지 걸리는 분. 속력은 km/h.\"\"\"
    return 60 * 9.5 / (speed - wind * math.cos(angle))
```

- [x] 물때는 이미 표에 들어 있습니다
- [ ] 공휴일은 아직 없습니다

> 폭풍이 부는 날에는 항만장이 결정합니다.
""",
    ),
}
_PLAIN = {
    "en": ("Who is the mayor of Nurimae?", "The mayor of Nurimae is Odalia Senn."),
    "ko": ("누리매의 시장은 누구인가요?", "누리매의 시장은 오달리아 센입니다."),
}

CITED = {
    "en": "What happens to a motion when the votes are equal?",
    "ko": "조합원의 출자 한 구좌는 얼마로 하나요?",
}
"""What the documents of the seeds answer."""
DECLINED = {"en": "Quasar zymurgy?", "ko": "양자역학?"}
"""What they share no word with."""

LONG = {"en": "What should I pack for the crossing?", "ko": "배를 탈 때 무엇을 챙겨야 하나요?"}
TALKS = {language: (_PLAIN[language][0], _RICH[language][0]) for language in ("en", "ko")}
ANSWERS = dict([*_PLAIN.values(), *_RICH.values()])
