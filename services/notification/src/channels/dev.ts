import type { Provider } from './provider.ts'

/** Sends nothing: the message stays where the development mailbox shows it. */
export const dev: Provider = { name: 'dev', send: async () => ({ providerId: '' }) }
