import webpush from 'web-push'
import { ForbiddenAddress, type Outbound } from '../outbound.ts'
import { statusError } from './http-provider.ts'
import { type Provider, ProviderError, SEND_TIMEOUT_MS } from './provider.ts'

/** Push services keep a notification for an offline browser at most so long. */
const MAX_TTL_SECONDS = 7 * 24 * 3600

/** Push notifications to browsers (RFC 8030, 8291, 8292). The endpoint comes from the browser, so it is not trusted. */
export function webPush(options: {
  publicKey: string
  privateKey: string
  subject: string
  outbound: Outbound
}): Provider {
  const { outbound, ...vapidDetails } = options
  return {
    name: 'web_push',
    async send(message) {
      const payload = JSON.stringify({ id: message.id, title: message.subject, body: message.text, url: message.link })
      let details: webpush.RequestDetails
      try {
        const subscription = { endpoint: message.to, keys: message.keys ?? { p256dh: '', auth: '' } }
        const TTL = Math.min(message.ttlSeconds, MAX_TTL_SECONDS)
        details = webpush.generateRequestDetails(subscription, payload, { vapidDetails, TTL })
      } catch (cause) {
        throw new ProviderError('web_push subscription_invalid', { permanent: true, gone: true, cause })
      }
      const answer = await outbound
        .post(details.endpoint, {
          headers: details.headers as Record<string, string>,
          body: details.body ?? '',
          timeoutMs: SEND_TIMEOUT_MS,
        })
        .catch((cause) => {
          const permanent = cause instanceof ForbiddenAddress
          throw new ProviderError(permanent ? 'web_push address_forbidden' : 'web_push unreachable', {
            permanent,
            cause,
          })
        })
      if (answer.status >= 200 && answer.status < 300) return { providerId: '' }
      throw statusError('web_push', answer.status, answer.retryAfter)
    },
  }
}
