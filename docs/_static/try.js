// The page "Try it": an editor, and below it what its program printed, drew, compiled and checked.
"use strict";
{
  const root = document.querySelector(".try"), files = new URL(".", document.currentScript.src).href;
  const part = (name) => root.querySelector(".try-" + name);
  const editor = part("editor"), status = part("status"), results = part("results"), run = part("run"), stop = part("stop");
  const programs = JSON.parse(part("programs").textContent), choice = part("choice");
  const pyodide = new URL(root.dataset.pyodide, document.baseURI).href;
  const HEADINGS = {picture: "Picture", program: "Program", check: "Gradient check", error: "Error", output: "Output"};
  let worker, output, slow, pictures = [];

  const add = (kind, name, content) => {
    const heading = document.createElement("h3"), of = document.createElement("code");
    heading.textContent = HEADINGS[kind] + " ";
    of.textContent = name;
    if (name) heading.append(of);
    const box = document.createElement("div");
    box.className = kind === "picture" ? "try-picture wide" : "try-" + kind;
    box.append(content);
    results.append(heading, box);
    return content;
  };

  const lines = (text) => {
    const element = document.createElement("pre");
    element.textContent = text;
    element.tabIndex = 0;  // a wide one can be scrolled with the keyboard
    return element;
  };

  const picture = (name, svg) => {  // an image runs no scripts
    const element = document.createElement("img");
    element.src = URL.createObjectURL(new Blob([svg], {type: "image/svg+xml"}));
    element.alt = `The graph ${name}, drawn by the program`;
    pictures.push(element.src);
    return element;
  };

  const say = (text, state) => {
    status.textContent = text;
    root.dataset.state = state;
    const busy = state === "loading" || state === "running";
    run.disabled = busy;
    stop.hidden = !busy;
    clearTimeout(slow);
  };

  const end = (text, state) => {
    worker?.terminate();
    worker = undefined;
    say(text, state);
  };

  const unreachable = (why) => end(
    `Python could not be loaded from ${pyodide} (${why}). The first run needs the network: is this device online? ` +
    "Without it, install the package and run the program there.", "failed");

  const heard = ({data: {kind, text}}) => {
    if (kind === "loading") {
      say(text, "loading");
      slow = setTimeout(() => { status.textContent = text + " Still waiting; is the network slow, or not there?"; }, 20000);
    } else if (kind === "running") {
      say(text, "running");
    } else if (kind === "output") {
      output ??= add("output", "", lines(""));
      output.textContent += text;
    } else if (kind === "failed") {
      unreachable(text);
    } else if (kind === "ended") {
      end(`Python ended: ${text}. The next run starts it again.`, "failed");
    } else {
      const {error, shown} = JSON.parse(text);
      if (error) add("error", "", lines(error));
      for (const {kind, name, text} of shown) add(kind, name, kind === "picture" ? picture(name, text) : lines(text));
      say(error ? "The program failed." : "Done.", error ? "error" : "done");
    }
  };

  const start = () => {
    if (run.disabled) return;
    if (location.protocol === "file:")
      return say("Browsers let no page from a file load Python. Serve this folder: python -m http.server", "failed");
    results.replaceChildren();
    pictures.forEach((url) => URL.revokeObjectURL(url));
    output = undefined;
    pictures = [];
    if (!worker) {
      worker = new Worker(files + "try_worker.js", {type: "module"});
      worker.onmessage = heard;
      worker.onerror = (event) => unreachable(event.message || "the worker did not start");
    }
    say("Running …", "running");
    worker.postMessage({program: editor.value, pyodide, files});
  };

  run.addEventListener("click", start);
  stop.addEventListener("click", () => end("Stopped. The next run starts Python again.", "stopped"));
  choice.addEventListener("change", () => { editor.value = programs[choice.selectedIndex]; editor.scrollTop = 0; });
  let leaving = false;  // after Escape, Tab leaves the editor, for those who have no mouse
  editor.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      start();
    } else if (event.key === "Tab" && !event.shiftKey && !leaving) {
      event.preventDefault();
      editor.setRangeText("    ", editor.selectionStart, editor.selectionEnd, "end");
    }
    leaving = event.key === "Escape";
  });
  choice.selectedIndex = 0;  // browsers keep a choice over a reload, and not always the text
  editor.value = programs[0];
}
