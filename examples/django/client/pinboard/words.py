"""What the pages say, in English and in Japanese: whichever the browser prefers."""

ENGLISH = {
    "language": "en",
    "welcome": "Your notes, where you can see them",
    "what": "Pinboard keeps nothing of yours. It shows the notes that you keep at another site, if you let it.",
    "sign_in": "Sign in with grantlog",
    "signed_in_as": "Signed in as",
    "sign_out": "Sign out",
    "notes": "Your notes",
    "none": "There is nothing on the board yet.",
    "you": "you",
    "write": "A new note",
    "pin": "Pin it up",
    "refused": "The notes site does not let Pinboard in any more",
    "why": "Its token is dead, and grantlog gives no new one: what you allowed was withdrawn, or has ended. Sign in to allow it again.",
    "exchanges": "What Pinboard asked, and the answers",
    "access": "What I let applications do",
    "failed": "You are not signed in",
    "failed_why": "You or grantlog said no, or the answer was not meant for this browser.",
    "back": "Back to Pinboard",
}

JAPANESE = {
    "language": "ja",
    "welcome": "あなたのメモを、見えるところに",
    "what": "Pinboard は何も保存しません。あなたが許可すると、別のサイトにあるあなたのメモを表示します。",
    "sign_in": "grantlog でサインイン",
    "signed_in_as": "サインイン中:",
    "sign_out": "サインアウト",
    "notes": "あなたのメモ",
    "none": "ボードにはまだ何もありません。",
    "you": "あなた",
    "write": "新しいメモ",
    "pin": "貼る",
    "refused": "メモのサイトは Pinboard を受け付けなくなりました",
    "why": "トークンは失効していて、grantlog は新しいトークンを渡しません。許可が取り消されたか、終わったためです。もう一度許可するには、サインインしてください。",
    "exchanges": "Pinboard が送った要求と、その答え",
    "access": "アプリケーションに許可していること",
    "failed": "サインインできませんでした",
    "failed_why": "あなたか grantlog が断ったか、答えがこのブラウザー宛てではありませんでした。",
    "back": "Pinboard に戻る",
}


def spoken(request):
    """A context processor: `words`, in the language that stands first in Accept-Language."""
    prefers_japanese = request.headers.get("Accept-Language", "").lower().startswith("ja")
    return {"words": JAPANESE if prefers_japanese else ENGLISH}
