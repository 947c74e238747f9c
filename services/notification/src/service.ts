import { implement } from '@haat/kit/grpc-server'
import { type Service, startService } from '@haat/kit/service'
import { NotificationServiceDefinition } from '@haat/proto/notification/v1/notification'
import type { NotificationConfig } from './config.ts'
import { createContext, type NotificationContext } from './context.ts'
import { events } from './events/index.ts'
import { deliverWebhooks } from './jobs/deliver-webhooks.ts'
import { expandNotices } from './jobs/expand-notices.ts'
import { sendMessages } from './jobs/send-messages.ts'
import { sweep } from './jobs/sweep.ts'
import { startMailbox } from './mailbox.ts'
import { rpc } from './rpc/index.ts'

/** Notification with the port its development mailbox listens on, if it is on. */
export type NotificationService = Service & { mailboxPort: number | undefined }

/** Starts notification; `overrides` replace parts of the context in tests. */
export async function startNotification(
  config: NotificationConfig,
  overrides: Partial<NotificationContext> = {},
): Promise<NotificationService> {
  let mailboxPort: number | undefined
  const service = await startService<NotificationContext>('notification', config, async (chassis) => {
    const ctx = { ...(await createContext(config, chassis)), ...overrides }
    if (config.MAILBOX_PORT !== undefined) {
      const mailbox = await startMailbox(ctx, { host: config.MAILBOX_HOST, port: config.MAILBOX_PORT })
      chassis.onClose(() => mailbox.close())
      mailboxPort = mailbox.port
      chassis.log.info({ mailboxPort }, 'development mailbox')
    }
    return {
      ctx,
      rpcs: [implement(NotificationServiceDefinition, rpc)],
      events,
      jobs: [sendMessages, expandNotices, deliverWebhooks, sweep],
    }
  })
  return Object.assign(service, { mailboxPort })
}
