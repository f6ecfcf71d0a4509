// examples/django as a reader starts it, with one command: the clicks of docs/django.md, whose pictures are taken here.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { closing, inspect, signIn, visit } from './support.js'

const RUN = fileURLToPath(new URL('../../examples/django/run', import.meta.url))
const PACKAGE = fileURLToPath(new URL('../../clients/python', import.meta.url))
const NOTES = { en: ['Water the tomatoes', 'Print the photos of June'], ja: ['トマトに水をやる', '六月の写真をプリントする'] }
const ALBUM = { viewport: { width: 1000, height: 640 } }

/** So many ports in a row that nothing listens on, below those that the system gives to whoever asks for any. */
async function freePorts(count) {
  const first = 20_000 + Math.floor(Math.random() * (12_000 - count))
  const ports = Array.from({ length: count }, (_, index) => first + index)
  const free = await Promise.all(ports.map(isFree))
  return free.every(Boolean) ? ports : freePorts(count)
}

async function isFree(port) {
  const server = createServer().listen(port, '127.0.0.1')
  const free = await once(server, 'listening').then(() => true, () => false)
  if (free) await once(server.close(), 'close')
  return free
}

/** The example while it runs, found by what it prints. */
class Example {
  static async start() {
    // Pictures show the ports that a reader has.
    const ports = process.env.GRANTLOG_TEST_SCREENSHOTS ? [8000, 8001, 8002] : await freePorts(3)
    const programs = ['--grantlog', process.env.GRANTLOG_TEST_CLI, '--python', process.env.GRANTLOG_TEST_PYTHON]
    const environment = { ...process.env, PYTHONPATH: PACKAGE }
    const example = Object.assign(new Example(), { printed: '' })
    example.process = spawn(RUN, [...programs, '--ports', ...ports.map(String)], { env: environment, stdio: ['ignore', 'pipe', 'inherit'] })
    example.ended = once(example.process, 'exit').then(([status]) => status)
    for await (const line of createInterface({ input: example.process.stdout })) {
      example.printed += `${line}\n`
      if (line.startsWith('Ctrl-C')) return example
    }
    throw new Error(`it ended: ${example.printed}`)
  }

  said(pattern) {
    return pattern.exec(this.printed)[1]
  }

  /** As Ctrl-C does; its exit status. */
  stop() {
    this.process.kill('SIGINT')
    return this.ended
  }
}

for (const [language, locale] of Object.entries({ en: 'en-GB', ja: 'ja-JP' })) {
  test(`a reader clicks through the example in ${language}`, visit({ ...ALBUM, locale }, async (page, visitor) => {
    const example = await Example.start()
    closing.push(() => example.stop())
    const [grantlog, client] = [example.said(/grantlog +(http\S+)/), example.said(/Pinboard +(http\S+)/)]
    const user = { name: example.said(/Sign in as +(\S+)/), password: example.said(/Password +(.+)/) }
    const see = (name, ids = []) => inspect(page, visitor, { name: `django-${name}-${language}`, ids, language })

    await page.goto(client)
    await see('welcome')
    await page.click('#sign_in')
    await page.waitForSelector('#login')
    await see('sign-in', ['username', 'password', 'login'])
    await signIn(page, user)
    await page.waitForSelector('#deny')
    await page.click('#deny')
    await page.waitForSelector('#failed')
    await see('denied')
    await page.goto(client)
    await page.click('#sign_in')
    await page.waitForSelector('#allow')
    await see('consent', ['allow', 'deny'])
    await page.click('#allow')
    await page.waitForSelector('#person')
    assert.equal(await page.innerText('#person'), 'Mika Sato')
    for (const text of NOTES[language]) {
      await page.fill('#text', text)
      await page.click('#pin')
      await page.waitForSelector(`#notes >> text=${text}`)
    }
    await see('board')

    await page.click('#access')
    await page.waitForSelector('[id^=withdraw_]')
    await see('access')
    await page.click('[id^=withdraw_]')
    await page.waitForSelector('[id^=withdraw_]', { state: 'detached' })
    const withdrawn = performance.now()
    do await page.goto(client)
    while (await page.locator('#refused').count() === 0 && performance.now() - withdrawn < 10_000)
    console.log(`refused ${Math.round(performance.now() - withdrawn)} ms after the page said that it is withdrawn`)
    await see('refused')

    await page.click('#sign_in')
    await page.click('#allow')
    await page.waitForSelector(`#notes >> text=${NOTES[language][0]}`)
    await page.click('#sign_out')
    await page.click('#logout')
    await page.waitForURL(`${client}/`)
    await page.click('#sign_in')
    await page.waitForSelector('#login')

    const home = example.said(/cd (\S+) &&/)
    assert.ok(existsSync(home))
    assert.equal(await example.stop(), 0)
    assert.ok(!existsSync(home), 'nothing stays behind')
    for (const address of [grantlog, client]) await assert.rejects(fetch(address))
  }))
}
