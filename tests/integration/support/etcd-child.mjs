/** Starts a member of etcd, tells its process and waits to be killed: what it started must end with it. */
import { startEtcd } from '@rollcall/testkit'

const { members } = await startEtcd({ program: process.argv[2], members: 1 })
process.stdout.write(`${members[0].pid}\n`)
