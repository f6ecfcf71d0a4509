// Every page, on a phone and on a desk, light and dark, in English and Japanese: axe finds nothing serious and nothing is cut off.

import { test } from 'node:test'

import { Application, DESK, PHONE, goSignedIn, inspect, isBack, newUser, signIn, url, visit } from './support.js'

const SIGN_IN = ['username', 'password', 'login']

for (const [screen, viewport] of Object.entries({ phone: PHONE, desk: DESK })) {
  for (const colorScheme of ['light', 'dark']) {
    for (const [language, locale] of Object.entries({ en: 'en-GB', ja: 'ja-JP' })) {
      const look = `${screen}-${colorScheme}-${language}`
      test(`the pages on a ${screen}, ${colorScheme}, in ${language}`, visit({ viewport, colorScheme, locale }, async (page, visitor) => {
        const see = (name, ids = []) => inspect(page, visitor, { name: `${name}-${look}`, ids, language })
        const application = await Application.start('Photo Printer', { client_uri: 'https://printer.example/' })
        const user = newUser('--admin')

        await page.goto(application.ask({ redirect_uri: 'https://elsewhere.example/' }))
        await see('error', ['error'])
        await page.goto(application.ask({ scope: 'read write' }))
        await see('sign-in', SIGN_IN)
        await signIn(page, { ...user, password: 'not the password' })
        await see('sign-in-wrong', SIGN_IN)
        await signIn(page, user)
        await page.waitForSelector('#allow')
        await see('consent', ['allow', 'deny'])
        await page.click('#allow')
        await isBack(page, application)
        const code = new URL(page.url()).searchParams.get('code')

        await goSignedIn(page, user, '/o/authorized_tokens/')
        await see('access')
        await page.goto(`${url}/account/`)
        await see('account')
        await page.goto(`${url}/o/applications/`)
        await see('applications-none')
        await page.goto(`${url}/o/applications/register/`)
        await see('register')
        await page.fill('#name', 'Garden Diary')
        await page.check('[name="scope.read"]')
        await page.fill('#redirect_uris', 'not an address')
        await page.click('#register')
        await page.waitForSelector('#problem')
        await see('register-wrong')
        await page.fill('#redirect_uris', 'https://garden.example/callback')
        await page.click('#register')
        await page.waitForSelector('#new_secret')
        await see('application-new')
        await page.click('#ask_to_disable')
        await see('application-disable')
        await page.goto(`${url}/o/applications/`)
        await see('applications')
        await page.goto(`${url}/admin/`)
        await see('admin-clients')
        await page.goto(`${url}/admin/users/`)
        await see('admin-users')
        await page.goto(`${url}/admin/audit/`)
        await see('admin-audit')
        await page.fill('#q', user.name)
        await page.click('#search')
        await page.waitForSelector('#story')
        await see('admin-audit-user')
        await page.goto(`${url}/admin/audit/`)
        await page.fill('#q', code)
        await page.click('#search')
        await page.waitForSelector('#tokens')
        await see('admin-audit-grant')
        const day = new Date().toISOString().slice(0, 10)
        await page.goto(`${url}/admin/audit/changes/?from=${day}`)
        await page.waitForSelector('#found')
        await see('admin-audit-changes')
        await page.goto(`${url}/admin/audit/revoke/?point=user&of=${user.name}&since=${day}`)
        await page.waitForSelector('#preview')
        await see('admin-audit-revoke')
        await page.goto(`${url}/o/logout/`)
        await see('sign-out', ['logout'])
        await page.click('#logout')
        await page.waitForSelector('#logged_out')
        await see('signed-out', ['logged_out'])
      }))
    }
  }
}

test('ui_locales wins over what the browser prefers', visit({ locale: 'en-GB' }, async (page, visitor) => {
  const application = await Application.start('Photo Printer')
  await page.goto(application.ask({ ui_locales: 'ja' }))
  await inspect(page, visitor, { name: 'sign-in-by-ui-locales', ids: SIGN_IN, language: 'ja' })
}))
