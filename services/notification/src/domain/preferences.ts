import type { ChannelName, TopicName } from './names.ts'

/** What a person has said about messages, as far as it differs from the defaults. */
export type Wishes = {
  marketingOptIn: boolean
  explicit: ReadonlyMap<`${TopicName}:${ChannelName}`, boolean>
}

/**
 * Whether a person gets messages of a topic by a channel. Account messages always; otherwise as the person said; otherwise
 * marketing only by e-mail and push to whom opted in, text messages never, all others yes.
 */
export function wants(wishes: Wishes, topic: TopicName, channel: ChannelName): boolean {
  if (topic === 'account') return true
  const said = wishes.explicit.get(`${topic}:${channel}`)
  if (said !== undefined) return said
  if (channel === 'sms') return false
  return topic === 'marketing' ? wishes.marketingOptIn : true
}

/** For a bare address: nobody opted in with it. */
export const NO_WISHES: Wishes = { marketingOptIn: false, explicit: new Map() }

/** Account mail goes first, marketing last. */
export const priorityOf = (topic: TopicName): number => (topic === 'account' ? 0 : topic === 'marketing' ? 2 : 1)
