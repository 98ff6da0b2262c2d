import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { DraftError, functionRequestOf } from './function-request.ts';
import { gateway, type JobName } from './gateway-client.ts';
import { type Draft, samples } from './samples.ts';

const [firstSample = ''] = Object.keys(samples);

/** An error, and the field that it is about; without a field it is the gateway's. */
interface Problem {
  readonly field?: keyof Draft;
  readonly message: string;
}

/** The editor: a function, what it needs and what it is called with. */
export function SubmitForm({ onSubmitted }: { onSubmitted: (job: JobName) => void }): JSX.Element {
  const [draft, setDraft] = useState<Draft>(samples[firstSample] as Draft);
  const [endpoint, setEndpoint] = useState('local');
  const [problem, setProblem] = useState<Problem>();
  const [isSending, setSending] = useState(false);

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setProblem(undefined);
    setSending(true);
    try {
      const { id } = await gateway.submit(endpoint, functionRequestOf(draft));
      onSubmitted({ id, endpoint });
    } catch (error) {
      const { message } = error as Error;
      setProblem(error instanceof DraftError ? { field: error.field, message } : { message });
    }
    setSending(false);
  };
  const field = (name: keyof Draft) => ({
    id: name,
    value: draft[name],
    spellcheck: false,
    autocomplete: 'off' as const,
    'aria-invalid': problem?.field === name,
    'aria-describedby': problem?.field === name ? 'problem' : undefined,
    onInput: ({ currentTarget }: { currentTarget: HTMLInputElement | HTMLTextAreaElement }) =>
      setDraft({ ...draft, [name]: currentTarget.value }),
  });

  return (
    <section class="card" aria-labelledby="submit-title">
      <h2 id="submit-title">Submit a function</h2>
      <form onSubmit={submit}>
        <label for="sample">Sample</label>
        <select id="sample" onInput={({ currentTarget }) => setDraft(samples[currentTarget.value] as Draft)}>
          {Object.keys(samples).map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
        <label for="code">Code</label>
        <textarea class="code" rows={12} {...field('code')} />
        <div class="pair">
          <div>
            <label for="functionName">Function</label>
            <input {...field('functionName')} />
          </div>
          <div>
            <label for="endpoint">Endpoint</label>
            <input
              id="endpoint"
              value={endpoint}
              required
              pattern="[^\/\s]+"
              onInput={({ currentTarget }) => setEndpoint(currentTarget.value)}
            />
          </div>
        </div>
        <label for="args">Arguments, a JSON array</label>
        <textarea class="code" rows={1} {...field('args')} />
        <label for="kwargs">Keyword arguments, a JSON object</label>
        <textarea class="code" rows={1} {...field('kwargs')} />
        <label for="dependencies">Packages, one a line</label>
        <textarea class="code" rows={2} placeholder="numpy>=2" {...field('dependencies')} />
        <button type="submit" class="primary" disabled={isSending}>
          Run
        </button>
        <p id="problem" role="alert">
          {problem?.message}
        </p>
      </form>
    </section>
  );
}
