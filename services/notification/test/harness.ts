import { systemCall } from '@haat/kit/call'
import { unavailable } from '@haat/kit/errors'
import type { EventMessage } from '@haat/kit/events/definition'
import { createEnvelope, type Envelope } from '@haat/kit/events/envelope'
import { newId } from '@haat/kit/id'
import { createLog } from '@haat/kit/log'
import type { AuthServiceClient, User } from '@haat/proto/auth/v1/auth'
import { User as UserMessage } from '@haat/proto/auth/v1/auth'
import {
  type Message,
  type NotificationServiceClient,
  NotificationServiceDefinition,
} from '@haat/proto/notification/v1/notification'
import type { ProfileServiceClient } from '@haat/proto/profile/v1/profile'
import { Member, type VendorServiceClient } from '@haat/proto/vendor/v1/vendor'
import { fake } from '@haat/testkit/fake'
import { startTestService } from '@haat/testkit/service'
import { neighbour, staff, vendorMember } from '@haat/testkit/tokens'
import { sql } from 'kysely'
import type { Outgoing, Provider } from '../src/channels/provider.ts'
import { loadConfig } from '../src/config.ts'
import type { NotificationContext } from '../src/context.ts'
import { createSecrets } from '../src/domain/secrets.ts'
import { sendMessages } from '../src/jobs/send-messages.ts'
import { type NotificationService, startNotification } from '../src/service.ts'

export const SECRET = 'a-secret-of-at-least-thirty-two-characters'

/** A provider that keeps what it is given; `fail` makes the next sends go wrong. */
export function recordingProvider(name: string) {
  const sent: Outgoing[] = []
  const failures: unknown[] = []
  const provider: Provider = {
    name,
    async send(message) {
      const failure = failures.shift()
      if (failure) throw failure
      sent.push(message)
      return { providerId: `${name}-${sent.length}` }
    },
  }
  return { ...provider, sent, fail: (...errors: unknown[]) => failures.push(...errors) }
}

/** Notification on its own database, with neighbours that know whom the test makes known. */
export async function startHarness(
  options: { overrides?: Partial<NotificationContext>; env?: Record<string, string> } = {},
) {
  const users = new Map<string, User>()
  const phones = new Map<string, string>()
  const members = new Map<string, Member[]>()
  const asked = { auth: 0, vendor: 0 }
  const down = { auth: false, vendor: false }
  let clockMs = 0
  const email = recordingProvider('smtp')
  const sms = recordingProvider('twilio')
  const push = recordingProvider('web_push')
  const gone = (name: string) => Promise.reject(unavailable('service_unavailable', `${name} is down`))
  const overrides: Partial<NotificationContext> = {
    auth: fake<AuthServiceClient>('auth', {
      batchGetUsers: async ({ userIds = [] }) => {
        asked.auth++
        if (down.auth) return gone('auth')
        return { users: userIds.flatMap((id) => users.get(id) ?? []) }
      },
    }),
    profile: fake<ProfileServiceClient>('profile', {
      batchGetProfiles: async ({ userIds = [] }) => ({
        profiles: userIds.flatMap((userId) => {
          const phone = phones.get(userId)
          return phone ? [{ userId, phone } as never] : []
        }),
      }),
    }),
    vendor: fake<VendorServiceClient>('vendor', {
      listMembers: async ({ vendorId = '' }) => {
        asked.vendor++
        if (down.vendor) return gone('vendor')
        return { members: members.get(vendorId) ?? [], nextPageToken: '' }
      },
    }),
    providers: { email, sms, push },
    now: () => new Date(Date.now() + clockMs),
    ...options.overrides,
  }
  let running: NotificationService | undefined
  const service = await startTestService<ReturnType<typeof loadConfig>, NotificationContext>({
    name: 'notification',
    load: loadConfig,
    start: async (config, given) => {
      running = await startNotification(config, given)
      return running
    },
    migrations: new URL('../migrations/', import.meta.url),
    overrides,
    env: {
      NOTIFICATION_SECRET: SECRET,
      EMAIL_PROVIDER: 'dev',
      STOREFRONT_URL: 'https://shop.test',
      VENDOR_URL: 'https://vendor.test',
      ...options.env,
    },
  })
  const as = (who?: Parameters<typeof service.as>[1]) =>
    service.as<NotificationServiceClient>(NotificationServiceDefinition, who)
  const operatorIdentity = await staff(
    'messages.read',
    'messages.write',
    'templates.read',
    'templates.write',
    'vendors.read',
    'vendors.write',
  )

  /** Works off what is due, as the timers do. */
  const work = async () => {
    await service.service.settle()
    await service.service.runJob('expand-notices')
    await service.service.runJob('send-messages')
    await service.service.runJob('deliver-webhooks')
  }
  const list = async (filter: Parameters<NotificationServiceClient['listMessages']>[0]): Promise<Message[]> =>
    (await as(operatorIdentity).listMessages({ pageSize: 100, includeBody: true, ...filter })).messages

  return {
    ...service,
    service,
    as,
    anyone: as(),
    operator: as(operatorIdentity),
    neighbour: as(await neighbour('analytics')),
    email,
    sms,
    push,
    phones,
    members,
    asked,
    down,
    work,
    list,
    get mailboxPort() {
      return running?.mailboxPort
    },
    now: overrides.now!,
    /** A table as text, to look for what must not be in it. */
    async dump(table: string): Promise<string> {
      const rows = await service.database.db
        .selectFrom(table as never)
        .selectAll()
        .execute()
      return JSON.stringify(rows, (_, value) => (typeof value === 'bigint' ? String(value) : value))
    },
    /** Sends what is due, as another process would. */
    async worker(): Promise<void> {
      const ctx = {
        ...overrides,
        db: service.database.db as never,
        secrets: createSecrets([SECRET]),
        site: { name: 'Haat', storefront: 'https://shop.test', vendor: 'https://vendor.test' },
        timeZone: 'UTC',
        messageRetrySeconds: [30],
      } as NotificationContext
      await sendMessages.run(ctx, systemCall(createLog('worker', 'silent')))
    },
    /** The next notes of what became of a leased row are refused like by a PostgreSQL that shuts down. */
    async trouble(table: 'messages' | 'notices' | 'webhook_deliveries', times: number) {
      const name = `trouble_${table}`
      await sql
        .raw(`
        create sequence if not exists ${name};
        create or replace function ${name}() returns trigger language plpgsql security definer as $$ begin
          if nextval('${name}') <= ${times} then raise 'shutting down' using errcode = '57P01'; end if;
          return new;
        end $$;
        create or replace trigger ${name} before update on ${table} for each row
          when (old.leased_until is not null and new.leased_until is null) execute function ${name}();
        alter sequence ${name} restart;
      `)
        .execute(service.database.db as never)
    },
    /** Moves the service's clock on. */
    pass(seconds: number) {
      clockMs += seconds * 1000
    },
    /** Somebody with an account. */
    user(more: Partial<User> = {}): User {
      const id = newId()
      const user = UserMessage.fromPartial({ id, email: `${id}@mail.test`, name: 'Ayesha', locale: 'en', ...more })
      users.set(user.id, user)
      return user
    },
    /** A vendor with an owner and a clerk who may see orders only. */
    async shop() {
      const owner = await vendorMember()
      const { vendorId } = owner
      const clerk = await vendorMember(vendorId, ['orders.read'])
      const person = (id: string) => {
        const user = UserMessage.fromPartial({ id, email: `${id}@shop.test`, name: 'Seller', locale: 'en' })
        users.set(id, user)
        return user
      }
      members.set(vendorId, [
        Member.fromPartial({ vendorId, userId: owner.userId, isOwner: true, permissions: ['*'] }),
        Member.fromPartial({ vendorId, userId: clerk.userId, permissions: ['orders.read'] }),
      ])
      return { vendorId, owner, clerk, ownerUser: person(owner.userId), clerkUser: person(clerk.userId) }
    },
    /** Publishes, and does all work that follows. */
    async happen<Data>(message: EventMessage<Data>, data: NoInfer<Data>): Promise<Envelope> {
      const envelope = await service.publish(message, data)
      await work()
      return envelope
    },
    /** An event of an aggregate that has seen `sequence` events. */
    async happenAt<Data>(sequence: number, message: EventMessage<Data>, data: NoInfer<Data>): Promise<void> {
      await service.publishRaw(createEnvelope(message, data, { sequence }))
    },
  }
}
