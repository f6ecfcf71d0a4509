// Applications of one's own, who has access to one's account, and what administrators see: done by hand in a browser, and looked at.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'

import { run } from '../interop/npm/grantlog.js'
import { Application, DESK, PHONE, goSignedIn, inspect, isBack, newUser, signIn, url, visit } from './support.js'

const LIST = '/o/applications/'

function newAdministrator() {
  const user = { name: `admin-${randomBytes(6).toString('hex')}`, password: randomBytes(12).toString('base64url') }
  run(['user', 'create', '--username', user.name, '--password-stdin', '--admin'], user.password)
  return user
}

/** Fills in the form of a new application, and sends it. */
async function registerByHand(page, name) {
  await page.goto(`${url}${LIST}register/`)
  await page.fill('[name=client_name]', name)
  await page.fill('[name=redirect_uris]', 'http://127.0.0.1:9/callback')
  await page.check('[name="grant.client_credentials"]')
  await page.check('[name="scope.read"]')
  await page.click('#register')
  await page.waitForSelector('#client_id')
}

async function tokenFor(page) {
  const credentials = await page.evaluate(() => ['client_id', 'new_secret'].map((id) => document.getElementById(id).textContent))
  const answer = await fetch(`${url}/o/token/`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(credentials.join(':')).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'read' }),
  })
  assert.equal(answer.status, 200)
  return (await answer.json()).access_token
}

const resource = async (token) => (await fetch(`${url}/api/resource`, { headers: { authorization: `Bearer ${token}` } })).status

test('an application is registered, gets a token, and is disabled with all that it holds', visit({}, async (page) => {
  await goSignedIn(page, newUser(), LIST)
  await registerByHand(page, 'Photo Album')
  const token = await tokenFor(page)
  assert.equal(await resource(token), 200)
  await page.reload()
  assert.equal(await page.locator('#new_secret').count(), 0)

  await page.click('#ask_to_disable')
  await page.click('#disable')
  await page.waitForSelector('#enable')
  assert.equal(await resource(token), 401)
  await page.click('#enable')
  await page.waitForSelector('#ask_to_disable')
  assert.equal(await resource(token), 401)
}))

test('what was entered stays in a form that is refused', visit({}, async (page) => {
  await goSignedIn(page, newUser(), LIST)
  await page.goto(`${url}${LIST}register/`)
  await page.fill('[name=client_name]', 'Photo Album')
  await page.fill('[name=redirect_uris]', 'http://album.example/callback')
  await page.check('[name="scope.read"]')
  await page.click('#register')
  assert.match(await page.innerText('#problem'), /http is for localhost/)
  assert.equal(await page.inputValue('[name=client_name]'), 'Photo Album')
  assert.equal(await page.isChecked('[name="scope.read"]'), true)
  await page.fill('[name=redirect_uris]', 'https://album.example/callback')
  await page.click('#register')
  await page.waitForSelector('#new_secret')
}))

test('a person takes back what they allowed', visit({}, async (page) => {
  const [application, user] = [await Application.start('Photo Printer'), newUser()]
  await page.goto(application.ask())
  await signIn(page, user)
  await page.click('#allow')
  await isBack(page, application)
  await page.goto(`${url}/o/authorized_tokens/`)
  assert.match(await page.innerText('main'), /Photo Printer[^]*Read your data/)
  await page.click('[id^=withdraw_]')
  await page.waitForSelector('[role=status]')
  assert.doesNotMatch(await page.innerText('main'), /Photo Printer/)
}))

test('an administrator locks a person out', visit({}, async (page, visitor) => {
  const user = newUser()
  await goSignedIn(page, newAdministrator(), '/admin/')
  await page.click('.tabs a:last-child')
  await page.fill('#q', user.name)
  await page.click('#search')
  await page.click('.rows a')
  await page.click('#lock')
  await page.waitForSelector('#unlock')
  await visitor.context.clearCookies()
  await page.goto(`${url}/account/`)
  await signIn(page, user)
  assert.match(await page.innerText('[role=alert]'), /locked/)
}))

for (const [screen, viewport] of Object.entries({ phone: PHONE, desk: DESK })) {
  for (const colorScheme of ['light', 'dark']) {
    for (const [language, locale] of Object.entries({ en: 'en-GB', ja: 'ja-JP' })) {
      const look = `${screen}-${colorScheme}-${language}`
      test(`the pages of owners and administrators on a ${screen}, ${colorScheme}, in ${language}`, visit({ viewport, colorScheme, locale }, async (page, visitor) => {
        const see = (name) => inspect(page, visitor, { name: `${name}-${look}`, language })
        const [application, administrator] = [await Application.start('Photo Printer'), newAdministrator()]
        await page.goto(application.ask())
        await signIn(page, administrator)
        await page.click('#allow')
        await isBack(page, application)

        await page.goto(`${url}${LIST}`)
        await see('applications-none')
        await page.goto(`${url}${LIST}register/`)
        await page.click('summary')
        await see('application-form')
        await page.fill('[name=client_name]', 'x')
        await page.click('#register')
        await see('application-form-refused')
        await registerByHand(page, `A name that is much longer than what fits ${'a'.repeat(60)}`)
        await see('application-new')
        const own = page.url()
        await page.goto(`${own}delete/`)
        await see('application-disable')
        await page.click('#disable')
        await page.waitForSelector('#enable')
        await see('application-disabled')
        await page.goto(`${url}${LIST}`)
        await see('applications')

        await page.goto(`${url}/o/authorized_tokens/`)
        await page.click('summary')
        await see('access')
        for (const [name, path] of [['clients', '/admin/'], ['users', '/admin/users/']]) {
          await page.goto(`${url}${path}`)
          await see(`admin-${name}`)
          await page.click('.rows a')
          await see(`admin-${name}-one`)
        }
      }))
    }
  }
}
