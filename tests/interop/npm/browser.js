// A browser without a screen: it keeps cookies, follows redirects and presses buttons by the ids that grantlog's pages promise.

import { parse } from 'node-html-parser'

export class Browser {
  #cookies = new Map()
  #foreign

  /** `foreign`: it does not open what begins with this; there a test reads the address it was sent to. */
  constructor(foreign) {
    this.#foreign = foreign
  }

  open(address) {
    return this.#follow('GET', new URL(address))
  }

  async press(page, id, typed = {}) {
    const button = page.document.getElementById(id)
    if (!button) throw new Error(`there is no button ${id} at ${page.address.href}: ${page.document.textContent}`)
    const form = button.closest('form')
    const fields = new URLSearchParams()
    for (const input of form.querySelectorAll('input[name]')) {
      fields.set(input.getAttribute('name'), typed[input.id] ?? input.getAttribute('value') ?? '')
    }
    if (button.getAttribute('name')) fields.set(button.getAttribute('name'), button.getAttribute('value') ?? '')
    return this.#follow('POST', new URL(form.getAttribute('action'), page.address), fields)
  }

  /** Signs in where that is asked, then allows or denies; returns the address where it ends up. */
  async decide(page, user, id = 'allow') {
    if (page.document?.getElementById('login')) page = await this.press(page, 'login', { username: user.name, password: user.password })
    if (page.document?.getElementById(id)) page = await this.press(page, id)
    return page.address
  }

  async #follow(method, address, body) {
    for (let hops = 0; hops < 10; hops += 1) {
      if (address.href.startsWith(this.#foreign)) return { address }
      const headers = { cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ') }
      if (method === 'POST') headers.origin = address.origin
      const answer = await fetch(address, { method, headers, body, redirect: 'manual' })
      // getSetCookie() is missing in Debian 12's Node.js: so they are taken apart where a name follows a comma.
      for (const cookie of answer.headers.get('set-cookie')?.split(/, (?=[^ ;=]+=)/) ?? []) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie)
        this.#cookies.set(name, value)
      }
      const location = answer.headers.get('location')
      if (!location) return { address, status: answer.status, document: parse(await answer.text()) }
      method = 'GET'
      address = new URL(location, address)
      body = undefined
    }
    throw new Error(`redirects without an end, the last to ${address.href}`)
  }
}
