// A client with the options of its argument, which registers nothing: prints what became of `connect`.
import { connect } from '@rollcall/client'

const options = JSON.parse(process.argv[2])
try {
  const rollcall = await connect(options)
  rollcall.service('orders', { subset: 3 })
  await rollcall.close()
  process.stdout.write('closed')
} catch (error) {
  process.stdout.write(`${error.code} ${error.message}`)
}
