// Signing in and deciding: allow, deny, remembered, withdrawn, several tabs.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Application, Visitor, goSignedIn, isBack, newUser, signIn, url, visit } from './support.js'

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? '' : ' without JavaScript'

  test(`a person signs in, allows, and comes back with a code${how}`, visit({ javaScriptEnabled }, async (page) => {
    const application = await Application.start('Photo Printer')
    const user = newUser()
    await page.goto(application.ask({ state: 'xyz' }))
    await signIn(page, user)
    await page.waitForSelector('#allow')
    const text = await page.innerText('main')
    for (const words of ['Photo Printer', 'Read your data', user.name]) assert.ok(text.includes(words), `the page does not say ${words}`)
    await page.click('#allow')
    await isBack(page, application)
    assert.equal(application.brought.state, 'xyz')
    assert.equal(application.brought.iss, `${url}/o`)
    assert.ok(application.brought.code)
  }))

  test(`a person who denies comes back with access_denied${how}`, visit({ javaScriptEnabled }, async (page) => {
    const application = await Application.start('Denied')
    await page.goto(application.ask())
    await signIn(page, newUser())
    await page.click('#deny')
    await isBack(page, application)
    assert.equal(application.brought.error, 'access_denied')
    assert.equal(application.brought.code, undefined)
  }))
}

test('a wrong password is told kindly, and the right one then works', visit({}, async (page) => {
  const application = await Application.start('Second try')
  const user = newUser()
  await page.goto(application.ask())
  await signIn(page, { ...user, password: 'not the password' })
  assert.match(await page.innerText('[role=alert]'), /wrong/)
  assert.equal(await page.inputValue('#username'), user.name)
  assert.equal(await page.inputValue('#password'), '')
  await signIn(page, user)
  await page.click('#allow')
  await isBack(page, application)
}))

test('consent is remembered, and asked again for more', visit({}, async (page) => {
  const application = await Application.start('Remembered')
  const user = newUser()
  await page.goto(application.ask())
  await signIn(page, user)
  await page.click('#allow')
  await isBack(page, application)

  await page.goto(application.ask({ state: 'again' }))
  await isBack(page, application)
  assert.equal(application.brought.state, 'again')

  await page.goto(application.ask({ scope: 'read write' }))
  assert.match(await page.innerText('main'), /Change your data/)
  await page.click('#allow')
  await isBack(page, application)
}))

test('two tabs do not cross', visit({}, async (one, visitor) => {
  const [left, right] = [await Application.start('Left'), await Application.start('Right')]
  const user = newUser()
  const two = await visitor.tab()
  await one.goto(left.ask({ state: 'left' }))
  await two.goto(right.ask({ state: 'right', scope: 'write' }))
  await signIn(one, user)
  await one.waitForSelector('#allow')
  await signIn(two, user)
  await two.waitForSelector('#allow')
  await one.reload()
  await one.click('#allow')
  await isBack(one, left)
  await two.click('#deny')
  await isBack(two, right)
  assert.deepEqual([left.brought.state, left.brought.error], ['left', undefined])
  assert.deepEqual([right.brought.state, right.brought.error], ['right', 'access_denied'])
}))

test('a consent page that another person left open decides nothing', visit({}, async (page) => {
  const application = await Application.start('Left open')
  await page.goto(application.ask())
  await signIn(page, newUser())
  await page.waitForSelector('#allow')
  const stolen = await page.locator('form').filter({ has: page.locator('#allow') }).evaluate((form) => [...new FormData(form)])

  const other = await Visitor.arrive()
  const theirs = await other.tab()
  await goSignedIn(theirs, newUser())
  const answer = await theirs.request.post(`${url}/o/authorize/decision/`, {
    form: { ...Object.fromEntries(stolen), decision: 'allow' },
    headers: { origin: url },
    maxRedirects: 0,
  })
  assert.ok(answer.status() >= 400 && answer.status() < 500, `it was answered with ${answer.status()}`)
  await other.leave()
}))

test('a request that is wrong is a page with a code and no way back', visit({}, async (page) => {
  const application = await Application.start('Wrong address')
  await page.goto(application.ask({ redirect_uri: `${application.origin}/elsewhere` }))
  assert.match(await page.innerText('#error'), /redirect_uri/)
  assert.equal(application.visits.length, 0)
}))
