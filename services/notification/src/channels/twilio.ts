import { basicAuth, callProvider } from './http-provider.ts'
import type { Provider } from './provider.ts'

/** Text messages by Twilio's HTTP API. */
export function twilio(options: { key: string; url: string; from: string }): Provider {
  const [sid, token] = options.key.split(':') as [string, string]
  const isMessagingService = options.from.startsWith('MG')
  return {
    name: 'twilio',
    async send(message) {
      const url = new URL(`/2010-04-01/Accounts/${sid}/Messages.json`, options.url).href
      const { body } = await callProvider('twilio', url, {
        headers: { authorization: basicAuth(sid, token) },
        body: new URLSearchParams({
          To: message.to,
          [isMessagingService ? 'MessagingServiceSid' : 'From']: options.from,
          Body: message.text,
        }),
      })
      return { providerId: String((body as { sid?: unknown } | undefined)?.sid ?? '') }
    },
  }
}
