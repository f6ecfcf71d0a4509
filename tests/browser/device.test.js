// Letting a device in: by typing its code, and by the link that its picture holds.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Visitor, newUser, signIn, url, visit } from './support.js'
import { Television } from './television.js'

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? '' : ' without JavaScript'

  test(`a person types the code of a television, looks, and lets it in${how}`, visit({ javaScriptEnabled }, async (page) => {
    const television = await Television.ask('Living room television')
    assert.equal((await television.poll()).error, 'authorization_pending')
    const user = newUser()
    await page.goto(`${url}/o/device/`)
    await signIn(page, user)
    await page.fill('#user_code', television.userCode.toLowerCase().replace('-', ' '))
    await page.click('#next')
    assert.equal(await page.innerText('#user_code'), television.userCode)
    const text = await page.innerText('main')
    for (const words of ['Living room television', 'Read your data', user.name]) assert.ok(text.includes(words), `the page does not say ${words}`)
    await page.click('#allow')
    await page.waitForSelector('#device_allowed')
    const tokens = await television.poll()
    assert.equal(tokens.scope, 'read')
    const answer = await fetch(`${url}/api/resource`, { headers: { authorization: `Bearer ${tokens.access_token}` } })
    assert.equal((await answer.json()).username, user.name)
  }))
}

test('a person follows the link in the picture, and denies', visit({}, async (page) => {
  const television = await Television.ask('Hotel television')
  const picture = await page.goto(`${url}/o/device/qr/?user_code=${television.userCode}`)
  assert.equal(picture.headers()['content-type'], 'image/svg+xml')
  await page.goto(television.link)
  await signIn(page, newUser())
  assert.equal(await page.inputValue('#user_code'), television.userCode)
  await page.click('#next')
  await page.click('#deny')
  await page.waitForSelector('#device_denied')
  assert.equal((await television.poll()).error, 'access_denied')
}))

test('whoever is signed in with the wrong account takes another', visit({}, async (page) => {
  const television = await Television.ask('Shared television')
  await page.goto(television.link)
  await signIn(page, newUser())
  await page.click('#next')
  await page.click('#switch')
  const other = newUser()
  await signIn(page, other)
  assert.equal(await page.inputValue('#user_code'), television.userCode)
  await page.click('#next')
  assert.ok((await page.innerText('main')).includes(other.name))
  await page.click('#allow')
  await page.waitForSelector('#device_allowed')
}))

test('a wrong code is told kindly, and the right one then works', visit({}, async (page) => {
  const television = await Television.ask('Second try')
  await page.goto(`${url}/o/device/`)
  await signIn(page, newUser())
  await page.fill('#user_code', 'BBBB-BBBB')
  await page.click('#next')
  assert.match(await page.innerText('[role=alert]'), /no such code/)
  await page.fill('#user_code', television.userCode)
  await page.click('#next')
  await page.waitForSelector('#allow')
}))

test('a question that another person left open decides nothing', visit({}, async (page) => {
  const television = await Television.ask('Left open')
  await page.goto(television.link)
  await signIn(page, newUser())
  await page.click('#next')
  const form = page.locator('form').filter({ has: page.locator('#allow') })
  const stolen = await form.evaluate((element) => [element.action, [...new FormData(element)]])

  const other = await Visitor.arrive()
  const theirs = await other.tab()
  await theirs.goto(`${url}/account/`)
  await signIn(theirs, newUser())
  const answer = await theirs.request.post(stolen[0], {
    form: { ...Object.fromEntries(stolen[1]), decision: 'allow' },
    headers: { origin: url },
    maxRedirects: 0,
  })
  assert.equal(answer.status(), 403)
  assert.equal((await television.poll()).error, 'authorization_pending')
  await other.leave()
}))
