// The one script of our pages: it asks the browser for a passkey. A form with `data-passkey` (`create` or `get`) shows itself where the browser
// knows passkeys; before it is sent, what the browser brings is put into its field `brought`. Nothing is fetched, nothing is kept.

'use strict'

const MEMBERS = ['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature', 'userHandle']

const bytes = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0))

const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')

/** What `navigator.credentials` takes: JSON has its bytes in base64url (parseCreationOptionsFromJSON is too new to count on). */
function optionsOf(form) {
  const options = JSON.parse(form.dataset.options)
  options.challenge = bytes(options.challenge)
  if (options.user) options.user.id = bytes(options.user.id)
  for (const credential of [...(options.allowCredentials ?? []), ...(options.excludeCredentials ?? [])]) credential.id = bytes(credential.id)
  return options
}

/** What it gives, as JSON. */
function brought({ id, rawId, type, response }) {
  const members = MEMBERS.filter((name) => name in response).map((name) => [name, response[name] && text(response[name])])
  return JSON.stringify({ id, rawId: text(rawId), type, response: Object.fromEntries(members) })
}

function send(form, credential) {
  form.elements.brought.value = brought(credential)
  form.submit()
}

function complain(form, error) {
  const words = form.querySelector('[role=alert]')
  const { cancelled, known, failed } = words.dataset
  words.textContent = { NotAllowedError: cancelled, AbortError: cancelled, InvalidStateError: known }[error.name] ?? failed
  words.hidden = false
}

let waiting

/** Offers passkeys among what the browser fills the name's field in with, as long as nothing else is asked for. */
async function offer(form) {
  if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return
  waiting = new AbortController()
  try {
    send(form, await navigator.credentials.get({ publicKey: optionsOf(form), mediation: 'conditional', signal: waiting.signal }))
  } catch (error) {
    if (!['AbortError', 'NotAllowedError'].includes(error.name)) complain(form, error)
  }
}

async function ask(form) {
  waiting?.abort()
  const button = form.querySelector('button')
  button.disabled = true
  try {
    send(form, await navigator.credentials[form.dataset.passkey]({ publicKey: optionsOf(form) }))
  } catch (error) {
    complain(form, error)
    button.disabled = false
  }
}

if (window.PublicKeyCredential) {
  for (const form of document.querySelectorAll('form[data-passkey]')) {
    form.hidden = false
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      ask(form)
    })
    if ('autofill' in form.dataset) offer(form)
  }
}
