// Runs the reader's programs, in a thread of its own: an endless loop leaves the page alive, and "Stop" ends it.
let python;

const tell = (kind, text) => postMessage({kind, text});

const fetched = async (url) => {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${answer.statusText}`);
  return answer;
};

const begin = async ({pyodide, files}) => {
  tell("loading", "Loading Python …");
  const {loadPyodide} = await import(pyodide + "pyodide.mjs");
  const py = await loadPyodide({indexURL: pyodide});
  tell("loading", "Loading NumPy …");
  const faults = [];
  await py.loadPackage("numpy", {messageCallback() {}, errorCallback: (text) => faults.push(text)});
  if (faults.length) throw new Error(faults.join("; "));
  tell("loading", "Loading tinygrad_lite …");
  const [archive, code] = await Promise.all([fetched(files + "package/tinygrad_lite.zip"), fetched(files + "try.py")]);
  py.FS.writeFile("/tinygrad_lite.zip", new Uint8Array(await archive.arrayBuffer()));
  py.runPython(await code.text());
  py.globals.get("install")("/tinygrad_lite.zip", "/tinygrad_lite");
  for (const set of ["setStdout", "setStderr"]) {  // not by lines: the last may have no end
    const decoder = new TextDecoder();
    py[set]({write: (bytes) => { tell("output", decoder.decode(bytes, {stream: true})); return bytes.length; }});
  }
  return py;
};

onmessage = async ({data}) => {
  let py;
  try {
    py = await (python ??= begin(data));
  } catch (error) {
    return tell("failed", error?.message ?? String(error));
  }
  tell("running", "Running …");
  try {
    tell("done", py.globals.get("run")(data.program));
  } catch (error) {  // the interpreter itself has ended
    tell("ended", error?.message ?? String(error));
  }
};
