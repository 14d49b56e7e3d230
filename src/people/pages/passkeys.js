// A form with `data-create` or `data-get` asks the browser for a passkey and takes its answer along. Without a script,
// or in a browser that knows no passkeys, such forms stay hidden and passwords do.

const decode = (text) =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0));

const encode = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');

const withIds = (list) => list.map((one) => ({ ...one, id: decode(one.id) }));

async function create(options) {
  const made = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: decode(options.challenge),
      user: { ...options.user, id: decode(options.user.id) },
      excludeCredentials: withIds(options.excludeCredentials),
    },
  });
  const { response } = made;
  return {
    clientDataJSON: encode(response.clientDataJSON),
    attestationObject: encode(response.attestationObject),
    transports: response.getTransports?.() ?? [],
    made,
  };
}

async function get(options) {
  const made = await navigator.credentials.get({
    publicKey: {
      ...options,
      challenge: decode(options.challenge),
      allowCredentials: withIds(options.allowCredentials),
    },
  });
  const { response } = made;
  return {
    clientDataJSON: encode(response.clientDataJSON),
    authenticatorData: encode(response.authenticatorData),
    signature: encode(response.signature),
    userHandle: response.userHandle === null ? null : encode(response.userHandle),
    made,
  };
}

async function answer(form) {
  const fault = form.querySelector('[role="alert"]');
  fault.textContent = '';
  try {
    const asked = form.dataset.create ?? form.dataset.get;
    const { made, ...response } = await (form.dataset.create ? create : get)(JSON.parse(asked));
    const { id, type } = made;
    form.elements.namedItem('credential').value = JSON.stringify({ id, rawId: id, type, response });
    form.submit();
  } catch (error) {
    fault.textContent =
      error.name === 'InvalidStateError'
        ? 'There is a passkey for you here already.'
        : 'No passkey was used. Try again, or take another way.';
  }
}

if (window.PublicKeyCredential) {
  for (const form of document.querySelectorAll('form[data-create], form[data-get]')) {
    form.hidden = false;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      answer(form);
    });
  }
}
