// The running server that the tests are given, and the command line beside it. Used by tests/browser too.

import { execFileSync } from 'node:child_process'
import { randomBytes, webcrypto } from 'node:crypto'

// Node.js 18 has it, but not as a global.
globalThis.crypto ??= webcrypto

function variable(name) {
  const value = process.env[name]
  if (!value) throw new Error(`${name} must be set: scripts/test does, and starts the server`)
  return value
}

export const url = variable('GRANTLOG_TEST_URL')
export const issuer = `${url}/o`
const program = variable('GRANTLOG_TEST_CLI')
const home = variable('GRANTLOG_TEST_HOME')

/** Runs a command and reads the JSON that it prints; `typed` goes to its standard input. */
export function run(args, typed = '') {
  const output = execFileSync(program, [...args, '--json'], { cwd: home, input: typed, encoding: 'utf8', timeout: 60_000, stdio: ['pipe', 'pipe', 'pipe'] })
  return JSON.parse(output)
}

/** Registers a client by RFC 7591's names (lists as lists, keys as objects) and returns its client information response. */
export function register(name, metadata = {}) {
  const given = { grant_types: ['authorization_code', 'refresh_token'], scope: 'read write', ...metadata }
  if (given.grant_types.includes('authorization_code')) given.redirect_uris ??= ['http://127.0.0.1:9/callback']
  const flags = Object.entries(given).flatMap(([member, value]) =>
    [value].flat().map((one) => `--${member.replaceAll('_', '-')}=${typeof one === 'object' ? JSON.stringify(one) : one}`),
  )
  return run(['client', 'register', '--client-name', name, ...flags])
}

/** `flags`: of `user create`, such as --admin. */
export function newUser(...flags) {
  const user = { name: `user-${randomBytes(6).toString('hex')}`, password: randomBytes(12).toString('base64url') }
  run(['user', 'create', '--username', user.name, '--password-stdin', ...flags], user.password)
  return user
}
