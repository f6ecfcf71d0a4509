"""A browser without a screen: it keeps cookies, follows redirects and presses buttons by the ids that grantlog's pages promise."""

from urllib.parse import parse_qs, urljoin, urlsplit

import requests
from bs4 import BeautifulSoup


class Page:
    def __init__(self, url, status=None, text=""):
        self.url = url
        self.status = status
        self.text = text
        self.soup = BeautifulSoup(text, "html.parser")

    def has(self, element_id):
        return self.soup.find(id=element_id) is not None

    def words_of(self, element_id):
        element = self.soup.find(id=element_id)
        return element.get_text(" ", strip=True) if element else ""

    @property
    def query(self):
        return {name: values[0] for name, values in parse_qs(urlsplit(self.url).query).items()}


class Browser:
    """It does not open what begins with one of `foreign`: there a test reads the address that it was sent to."""

    def __init__(self, *foreign):
        self.session = requests.Session()
        self.foreign = foreign

    def open(self, url):
        return self._follow("GET", url)

    def press(self, page, button_id, **typed):
        """Fills in the inputs by their ids and presses the button, as a person would."""
        button = page.soup.find(id=button_id)
        assert button is not None, f"there is no button `{button_id}` at {page.url} ({page.status}): {page.soup.get_text(' ', strip=True)}"
        form = button.find_parent("form")
        fields = {field["name"]: field.get("value", "") for field in form.find_all("input") if field.get("name")}
        for element_id, text in typed.items():
            fields[form.find(id=element_id)["name"]] = text
        if button.get("name"):
            fields[button["name"]] = button.get("value", "")
        return self._follow(form.get("method", "get").upper(), urljoin(page.url, form.get("action") or page.url), fields)

    def decide(self, page, user, button_id="allow"):
        """Signs in where that is asked, then allows or denies where that is asked; returns where the browser ends up."""
        if page.has("login"):
            page = self.press(page, "login", username=user.name, password=user.password)
        if page.has(button_id):
            page = self.press(page, button_id)
        return page

    def _follow(self, method, url, fields=None):
        for _ in range(10):
            if url.startswith(self.foreign):
                return Page(url)
            headers = {"Origin": "{0.scheme}://{0.netloc}".format(urlsplit(url))} if method == "POST" else {}
            answer = self.session.request(method, url, data=fields, headers=headers, allow_redirects=False, timeout=30)
            if not answer.is_redirect:
                return Page(url, answer.status_code, answer.text)
            method, url, fields = "GET", urljoin(url, answer.headers["Location"]), None
        raise AssertionError(f"redirects without an end, the last to {url}")
