import { basicAuth, callProvider } from './http-provider.ts'
import { mailHeaders, messageIdOf } from './mail-headers.ts'
import type { Provider } from './provider.ts'

/** E-mail by Mailgun's HTTP API. */
export function mailgun(options: { key: string; domain: string; url: string; from: string }): Provider {
  return {
    name: 'mailgun',
    async send(message) {
      const form = new FormData()
      const fields: Record<string, string> = {
        from: options.from,
        to: message.to,
        subject: message.subject,
        text: message.text,
        html: message.html,
        'h:Message-Id': messageIdOf(message, options.from),
        'o:tracking': 'no',
      }
      for (const [name, value] of Object.entries(fields)) form.set(name, value)
      for (const [name, value] of Object.entries(mailHeaders(message))) form.set(`h:${name}`, value)
      const { body } = await callProvider('mailgun', new URL(`/v3/${options.domain}/messages`, options.url).href, {
        headers: { authorization: basicAuth('api', options.key) },
        body: form,
      })
      return { providerId: String((body as { id?: unknown } | undefined)?.id ?? '') }
    },
  }
}
