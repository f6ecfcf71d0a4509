// A device without a keyboard (RFC 8628): it shows a code, and polls.

import { register, url } from './support.js'

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:device_code'

export class Television {
  static async ask(name, scope = 'read') {
    const television = new Television()
    television.client = register(name, { grant_types: [GRANT_TYPE], scope: 'read write', token_endpoint_auth_method: 'none' })
    television.codes = await television.#post('device-authorization', { scope })
    return television
  }

  get userCode() {
    return this.codes.user_code
  }

  /** What its picture holds. */
  get link() {
    return this.codes.verification_uri_complete
  }

  poll() {
    return this.#post('token', { grant_type: GRANT_TYPE, device_code: this.codes.device_code })
  }

  async #post(endpoint, parameters) {
    const body = new URLSearchParams({ client_id: this.client.client_id, ...parameters })
    return (await fetch(`${url}/o/${endpoint}/`, { method: 'POST', body })).json()
  }
}
