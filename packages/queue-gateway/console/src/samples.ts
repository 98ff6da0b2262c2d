/** What the form is filled with. */
export interface Draft {
  readonly code: string;
  readonly functionName: string;
  /** Requirements, one a line. */
  readonly dependencies: string;
  /** JSON array. */
  readonly args: string;
  /** JSON object. */
  readonly kwargs: string;
}

const plain = { dependencies: '', args: '[]', kwargs: '{}' };

export const samples: Readonly<Record<string, Draft>> = {
  'Add two numbers': {
    ...plain,
    functionName: 'add',
    code: 'def add(a, b):\n    return a + b\n',
    args: '[2, 3]',
  },
  'Print while it runs': {
    ...plain,
    functionName: 'count',
    code: `import time

def count(to, pause=1.0):
    for number in range(1, to + 1):
        print(f"{number} of {to}")
        time.sleep(pause)
    return to
`,
    args: '[10]',
    kwargs: '{"pause": 0.5}',
  },
  'Use a package from PyPI': {
    ...plain,
    functionName: 'moo',
    code: `def moo(text):
    import cowsay

    return cowsay.get_output_string("cow", text)
`,
    dependencies: 'cowsay==6.1',
    args: '["installed for this call"]',
  },
  'Await something': {
    ...plain,
    functionName: 'together',
    code: `import asyncio

async def step(number):
    await asyncio.sleep(1)
    print(f"step {number} is done")
    return number

async def together(steps):
    return await asyncio.gather(*map(step, range(steps)))
`,
    args: '[5]',
  },
  'Raise an exception': {
    ...plain,
    functionName: 'fail',
    code: 'def fail():\n    raise ValueError("what a caller is told")\n',
  },
  'Run until it is cancelled': {
    ...plain,
    functionName: 'forever',
    code: `import time

def forever():
    second = 0
    while True:
        second += 1
        print(f"still here after {second} s")
        time.sleep(1)
`,
  },
};
