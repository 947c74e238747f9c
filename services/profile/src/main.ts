import { run } from '@haat/kit/run'
import { loadConfig } from './config.ts'
import { startProfile } from './service.ts'

await run('profile', loadConfig, startProfile)
