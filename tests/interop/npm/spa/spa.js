// A single-page application: a public client that has nothing but its id. Each button writes what came of it into the outcome, as JSON.

const { authority, client_id, resource, scope } = JSON.parse(decodeURIComponent(document.cookie.match(/spa=([^;]*)/)[1]))
const manager = new oidc.UserManager({
  authority,
  client_id,
  scope,
  redirect_uri: `${location.origin}/callback`,
  silent_redirect_uri: `${location.origin}/silent`,
  post_logout_redirect_uri: `${location.origin}/bye`,
  revokeTokenTypes: ['refresh_token'],
  loadUserInfo: true,
  automaticSilentRenew: false,
})

const said = (outcome) => { document.getElementById('outcome').textContent = JSON.stringify(outcome) }
const told = (user) => ({ sub: user.profile.sub, name: user.profile.preferred_username, access: user.access_token, refresh: user.refresh_token })

async function attempt(action) {
  said({})
  try {
    said(await action())
  } catch (error) {
    said({ error: error.error ?? error.message })
  }
}

const ask = (more) => manager.signinRedirect({ nonce: crypto.randomUUID(), ...more })

const actions = {
  sign_in: () => ask(JSON.parse(sessionStorage.getItem('asked') ?? '{}')),
  async sign_in_silently() {
    await manager.removeUser()
    return told(await manager.signinSilent({ nonce: crypto.randomUUID() }))
  },
  renew: async () => told(await manager.signinSilent()),
  async fetch() {
    const { access_token } = await manager.getUser()
    const answer = await fetch(resource, { headers: { authorization: `Bearer ${access_token}` } })
    return { status: answer.status, ...(await answer.json()) }
  },
  async revoke() {
    await manager.revokeTokens()
    return { revoked: true }
  },
  async sign_out() {
    const { id_token } = await manager.getUser()
    await manager.signoutRedirect({ id_token_hint: id_token, state: 'out' })
  },
}

for (const [id, action] of Object.entries(actions)) document.getElementById(id).onclick = () => attempt(action)

const returns = {
  '/callback': async () => told(await manager.signinRedirectCallback()),
  '/silent': () => manager.signinSilentCallback(),
  '/bye': async () => ({ signedOut: (await manager.signoutRedirectCallback()).userState }),
}
if (returns[location.pathname]) attempt(returns[location.pathname])
