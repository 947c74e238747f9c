// Prints the path of a mongod; a process of its own, because a download cannot be called off otherwise.
import { MongoBinary } from 'mongodb-memory-server-core'

const [, , downloadDir = '.'] = process.argv
try {
  process.stdout.write(await MongoBinary.getPath({ version: '8.0.17', downloadDir }))
} catch (error) {
  process.stderr.write(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
