/** What the sockets of DNS are for, as a port: messages in, messages out. */

/** Answers messages. It never throws. */
export interface MessageAnswers {
  /** Undefined for a message that is met with silence. */
  answer(message: Buffer, transport: 'udp' | 'tcp', peer: string | undefined): Buffer | undefined
}
