// Signing out for an application, and applications that hear of it in the browser.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Application, inspect, isBack, newUser, signIn, url, visit } from './support.js'

const withPages = (origin) => ({
  scope: 'openid read',
  post_logout_redirect_uris: [`${origin}/bye`],
  frontchannel_logout_uri: `${origin}/out`,
})

/** Lets an application know who one is, and gives the ID token that it gets. */
async function learn(page, application, user) {
  await page.goto(application.ask({ scope: 'openid read' }))
  if (await page.locator('#login').count()) await signIn(page, user)
  await page.click('#allow')
  await isBack(page, application)
  const { client_id, client_secret, redirect_uris } = application.client
  const fields = { grant_type: 'authorization_code', code: application.brought.code, redirect_uri: redirect_uris[0], client_id, client_secret }
  const answer = await fetch(`${url}/o/token/`, { method: 'POST', body: new URLSearchParams(fields) })
  return (await answer.json()).id_token
}

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? '' : ' without JavaScript'

  test(`an application signs a person out, every application hears of it, and the person comes back${how}`, visit({ javaScriptEnabled }, async (page) => {
    const [one, other] = [await Application.start('Photo Printer', withPages), await Application.start('Photo Album', withPages)]
    const user = newUser()
    const hint = await learn(page, one, user)
    await learn(page, other, user)
    const asked = { id_token_hint: hint, post_logout_redirect_uri: `${one.origin}/bye`, state: 'xyz' }
    await page.goto(`${url}/o/logout/?${new URLSearchParams(asked)}`)
    await page.waitForURL(`${one.origin}/bye?state=xyz`)
    const { sid } = JSON.parse(Buffer.from(hint.split('.')[1], 'base64url'))
    for (const application of [one, other]) {
      const out = application.opened.find(({ pathname }) => pathname === '/out')
      assert.equal(out?.search, `?${new URLSearchParams({ iss: `${url}/o`, sid })}`)
    }
    await page.goto(`${url}/account/`)
    await page.waitForSelector('#login')
  }))
}

test('whoever only names an application has the person asked', visit({}, async (page, visitor) => {
  const application = await Application.start('Photo Printer', withPages)
  await learn(page, application, newUser())
  const asked = { client_id: application.client.client_id, post_logout_redirect_uri: `${application.origin}/bye`, ui_locales: 'ja' }
  await page.goto(`${url}/o/logout/?${new URLSearchParams(asked)}`)
  assert.match(await page.innerText('main'), /Photo Printer/)
  await inspect(page, visitor, { name: 'sign-out-for-an-application', ids: ['logout'], language: 'ja' })
  // The frames that tell other applications need a moment before the browser goes on; whoever does not wait has the link. Here it is held up
  // until the page was looked at.
  let goOn
  const looked = new Promise((resolve) => {
    goOn = resolve
  })
  await page.route(`${application.origin}/bye`, (route) => looked.then(() => route.continue()))
  await page.click('#logout')
  await page.waitForSelector('#logged_out')
  await inspect(page, visitor, { name: 'signed-out-and-on', ids: ['logged_out'], language: 'ja', except: ['meta-refresh'] })
  goOn()
  await page.waitForURL(`${application.origin}/bye`)
}))

test('nobody is sent to a place that the application has not registered', visit({}, async (page, visitor) => {
  const application = await Application.start('Photo Printer', withPages)
  const hint = await learn(page, application, newUser())
  const asked = { id_token_hint: hint, post_logout_redirect_uri: `${application.origin}/elsewhere` }
  await page.goto(`${url}/o/logout/?${new URLSearchParams(asked)}`)
  await inspect(page, visitor, { name: 'sign-out-refused', ids: ['error'] })
  await page.goto(`${url}/account/`)
  assert.equal(await page.locator('#login').count(), 0)
}))
