import { broker, defineConfig, grpcServer, postgres } from '@haat/kit/config'

export const loadConfig = defineConfig('profile', { ...grpcServer, ...postgres, ...broker })

export type ProfileConfig = ReturnType<typeof loadConfig>
