// The pages of an owner's applications: register, the secret once, edit, rotate, disable; and who has access to one's account.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Application, goSignedIn, isBack, newUser, signIn, url, visit } from './support.js'

async function register(page, name) {
  await page.goto(`${url}/o/applications/`)
  await page.click('a[href="/o/applications/register/"]')
  await page.fill('#name', name)
  await page.check('[name="grant.client_credentials"]')
  await page.fill('#redirect_uris', 'http://127.0.0.1:9/callback')
  await page.check('[name="scope.read"]')
  await page.click('#register')
  await page.waitForSelector('#new_secret')
  return { client_id: await page.innerText('#client_id'), client_secret: await page.innerText('#new_secret') }
}

/** The service's answer to a request for a token, as its status. */
async function tokenStatus(credentials) {
  const body = new URLSearchParams({ grant_type: 'client_credentials', scope: 'read' })
  const authorization = `Basic ${Buffer.from(`${credentials.client_id}:${credentials.client_secret}`).toString('base64')}`
  return (await fetch(`${url}/o/token/`, { method: 'POST', body, headers: { authorization } })).status
}

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? '' : ' without JavaScript'

  test(`an owner registers an application, and sees its secret once${how}`, visit({ javaScriptEnabled }, async (page) => {
    await goSignedIn(page, newUser(), '/o/applications/')
    const credentials = await register(page, 'Garden Diary')
    assert.equal(await tokenStatus(credentials), 200)
    const address = page.url()
    await page.goto(`${url}/o/applications/`)
    await page.getByRole('link', { name: 'Garden Diary' }).click()
    assert.equal(await page.innerText('#client_id'), credentials.client_id)
    assert.equal(await page.locator('#new_secret').count(), 0)
    assert.ok(!(await page.content()).includes(credentials.client_secret))
    await page.goto(address)
    assert.ok(!(await page.content()).includes(credentials.client_secret))
  }))

  test(`an owner edits, rotates the secret, disables and enables${how}`, visit({ javaScriptEnabled }, async (page) => {
    await goSignedIn(page, newUser(), '/o/applications/')
    const credentials = await register(page, 'Garden Diary')

    await page.click('#edit')
    await page.fill('#name', 'Garden Journal')
    await page.click('#save')
    await page.waitForSelector('#edit')
    assert.match(await page.innerText('h1'), /Garden Journal/)

    await page.click('#rotate')
    await page.waitForSelector('#new_secret')
    const rotated = { ...credentials, client_secret: await page.innerText('#new_secret') }
    assert.notEqual(rotated.client_secret, credentials.client_secret)
    assert.deepEqual([await tokenStatus(credentials), await tokenStatus(rotated)], [401, 200])

    await page.click('#ask_to_disable')
    await page.click('#disable')
    await page.waitForSelector('#enable')
    assert.equal(await tokenStatus(rotated), 401)
    await page.click('#enable')
    await page.waitForSelector('#ask_to_disable')
    assert.equal(await tokenStatus(rotated), 200)
  }))

  test(`a person withdraws an application’s access, and is asked again${how}`, visit({ javaScriptEnabled }, async (page) => {
    const application = await Application.start('Withdrawn')
    const user = newUser()
    await page.goto(application.ask({ scope: 'read write' }))
    await signIn(page, user)
    await page.click('#allow')
    await isBack(page, application)

    await goSignedIn(page, user, '/o/authorized_tokens/')
    const entry = page.locator('section').filter({ hasText: 'Withdrawn' })
    assert.match(await entry.innerText(), /Change your data/)
    await entry.getByRole('button', { name: 'Withdraw' }).click()
    await page.waitForURL(`${url}/o/authorized_tokens/`)
    assert.equal(await page.locator('section').filter({ hasText: 'Change your data' }).count(), 0)

    const { client_id, client_secret, redirect_uris } = application.client
    const asked = { client_id, client_secret, grant_type: 'authorization_code', code: application.brought.code, redirect_uri: redirect_uris[0] }
    const answer = await fetch(`${url}/o/token/`, { method: 'POST', body: new URLSearchParams(asked) })
    assert.equal((await answer.json()).error, 'invalid_grant')
    await page.goto(application.ask())
    await page.waitForSelector('#allow')
  }))
}

test('what was filled in wrongly is told and kept', visit({}, async (page) => {
  await goSignedIn(page, newUser(), '/o/applications/register/')
  await page.fill('#name', 'Wrong address')
  await page.fill('#redirect_uris', 'javascript:alert(1)')
  await page.check('[name="scope.read"]')
  await page.click('#register')
  await page.waitForSelector('#problem')
  assert.equal(await page.inputValue('#name'), 'Wrong address')
  assert.equal(await page.inputValue('#redirect_uris'), 'javascript:alert(1)')
  assert.equal(await page.getAttribute('#redirect_uris', 'aria-invalid'), 'true')
}))

test('nobody sees another owner’s application', visit({}, async (page, visitor) => {
  await goSignedIn(page, newUser(), '/o/applications/')
  await register(page, 'Private Diary')
  const address = page.url()
  await visitor.context.clearCookies()
  await goSignedIn(page, newUser())
  const answer = await page.goto(address)
  assert.ok([403, 404].includes(answer.status()), `it was answered with ${answer.status()}`)
  assert.ok(!(await page.content()).includes('Private Diary'))
}))

test('a name that would be markup is shown as text', visit({}, async (page) => {
  await goSignedIn(page, newUser(), '/o/applications/')
  const name = '<img src=x onerror=alert(1)>"\'&'
  await register(page, name)
  assert.equal((await page.innerText('h1')).trim(), name)
  assert.equal(await page.locator('img').count(), 0)
}))
