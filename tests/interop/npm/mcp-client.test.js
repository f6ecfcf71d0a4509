// examples/mcp, reached by the official TypeScript SDK's client: from the server's URL alone to its tools, further scopes, refresh, revocation.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'

// The command line is that of the grantlog which guards the MCP server.
const { GRANTLOG_TEST_MCP_URL: url, GRANTLOG_TEST_MCP_ISSUER: issuer, GRANTLOG_TEST_MCP_HOME: home } = process.env
for (const name of Object.keys(process.env)) if (/^(GRANTLOG_(?!TEST_)|DATABASE_URL|NATS_URL)/.test(name)) delete process.env[name]
Object.assign(process.env, { GRANTLOG_TEST_URL: issuer.replace(/\/o$/, ''), GRANTLOG_TEST_HOME: home, GRANTLOG_CONFIG: 'grantlog.toml' })

const needs = { skip: Number(process.versions.node.split('.')[0]) < 20 && 'the SDK needs Node.js 20' }
const { Application, serveDocument } = needs.skip ? {} : await import('./mcp.js')
const { newUser, run } = await import('./grantlog.js')

let document

before(async () => {
  if (!needs.skip) document = await serveDocument()
})
after(() => document?.close())

async function call(client, name, args = {}) {
  const result = await client.callTool({ name, arguments: args })
  assert.ok(!result.isError, JSON.stringify(result))
  return result.structuredContent
}

const ways = { 'by its document': () => document.address, 'registered by itself': () => undefined }

for (const [way, address] of Object.entries(ways)) {
  test(`a client ${way} finds everything from the URL alone`, needs, async () => {
    const application = new Application(url, newUser(), address())
    const { tools, caller } = await application.connected(async (client) => ({ tools: (await client.listTools()).tools, caller: await call(client, 'who_am_i') }))
    assert.deepEqual(tools.map((tool) => tool.name).sort(), ['list_notes', 'who_am_i', 'write_note'])
    assert.equal(caller.application, application.kept.client.client_id)
    assert.equal(caller.application === document.address, way === 'by its document')
    assert.equal(application.asked.length, 1)
    const asked = application.asked[0].searchParams
    assert.equal(asked.get('resource'), url)
    assert.equal(asked.get('code_challenge_method'), 'S256')
    assert.ok(asked.get('scope').split(' ').includes('notes:read'))
    assert.equal(application.answers[0].searchParams.get('iss'), issuer)
    assert.equal(application.kept.discovery.authorizationServerMetadata.issuer, issuer)
  })

  test(`a client ${way} refreshes when its token is refused`, needs, async () => {
    const application = new Application(url, newUser(), address())
    await application.connected((client) => call(client, 'list_notes'))
    const { refresh_token: before } = application.kept.tokens
    application.kept.tokens = { ...application.kept.tokens, access_token: 'expired' }
    await application.connected((client) => call(client, 'list_notes'))
    assert.notEqual(application.kept.tokens.refresh_token, before)
    assert.equal(application.asked.length, 1)
  })

  test(`a client ${way} has its person asked for more where a tool needs it`, needs, async () => {
    const application = new Application(url, newUser(), address())
    await application.connected((client) => call(client, 'list_notes'))
    const notes = await application.connected(async (client) => {
      await call(client, 'write_note', { text: 'milk' })
      return call(client, 'list_notes')
    })
    assert.deepEqual(notes.result, [{ text: 'milk', application: application.kept.client.client_id }])
    const [first, second] = application.asked.map((asked) => asked.searchParams.get('scope').split(' '))
    assert.ok(!first.includes('notes:write') && second.includes('notes:write') && second.includes('notes:read'))
  })
}

test('an answer of another issuer is refused', needs, async () => {
  const application = new Application(url, newUser(), document.address)
  application.answers.push = (answer) => {
    answer.searchParams.set('iss', 'https://elsewhere.example')
    return Array.prototype.push.call(application.answers, answer)
  }
  await assert.rejects(
    application.connected((client) => client.listTools()),
    /iss/i,
  )
})

test('what was revoked is refused, and its person asked anew', needs, async () => {
  const application = new Application(url, newUser(), document.address)
  await application.connected((client) => call(client, 'list_notes'))
  const { access_token: dead } = application.kept.tokens
  run(['audit', 'revoke', '--user', application.user.name, '--since', '2020-01-01', '--yes'])
  while ((await fetch(url, { method: 'POST', headers: { authorization: `Bearer ${dead}` } })).status !== 401) await setTimeout(5)
  await application.connected((client) => call(client, 'list_notes'))
  assert.equal(application.asked.length, 2)
  assert.notEqual(application.kept.tokens.access_token, dead)
})
