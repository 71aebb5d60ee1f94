"use strict";
// A form for each model, by what its metadata say it reads, and its answer as bars. Values of a model are never markup.
(() => {
  const MOST_CHOICES = 200; // longer vocabularies are suggested while one types
  const MOST_BARS = 10;
  const root = document.getElementById("predict");

  const make = (tag, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };
  const ask = async (path, options) => {
    const response = await fetch(path, options);
    const document_ = await response.json().catch(() => ({ error: `the answer has the status ${response.status}` }));
    if (!response.ok) throw new Error(document_.error || document_.message || `the answer has the status ${response.status}`);
    return document_;
  };
  let labels_made = 0;
  const labelled = (text, field) => {
    const control = field.matches("input, select, textarea") ? field : field.querySelector("input, select, textarea");
    control.id ||= `predict-${++labels_made}`;
    return make("div", { className: "field" }, make("label", { textContent: text, htmlFor: control.id }), field);
  };
  const tensor = (name, datatype, shape, data) => ({ name, datatype, shape, data });

  // Each kind of input: its fields, and what reads them as tensors, or as the body of a file.
  const picture = (input) => {
    const file = make("input", { type: "file", accept: "image/png,image/jpeg", required: true, name: input.name });
    const hint = make("span", { textContent: "Drop a PNG or JPEG here, or choose one" });
    const place = make("label", { className: "drop" }, hint, file);
    place.style.display = "flex";
    const show = () => {
      if (!file.files.length) return;
      const reader = new FileReader();
      reader.onload = () => place.replaceChildren(make("img", { src: reader.result, alt: file.files[0].name }), file);
      reader.readAsDataURL(file.files[0]);
    };
    file.addEventListener("change", show);
    for (const kind of ["dragover", "dragleave", "drop"])
      place.addEventListener(kind, (event) => {
        event.preventDefault();
        place.classList.toggle("over", kind === "dragover");
        if (kind === "drop") {
          file.files = event.dataTransfer.files;
          show();
        }
      });
    return { field: place, file: () => file.files[0] };
  };

  const number = (column) => {
    const field = make("input", { type: "number", step: column.datatype === "INT64" ? "1" : "any", name: column.name });
    if (column.datatype === "BOOL") Object.assign(field, { min: "0", max: "1", step: "1" });
    field.required = !column.optional;
    return { field, value: () => (field.value === "" ? null : Number(field.value)), datatype: "FP64" };
  };
  const category = (column) => {
    const known = column.vocabulary;
    if (known.length > MOST_CHOICES) {
      const list = make("datalist", { id: `choices-${column.name}` }, ...known.map((value) => make("option", { value })));
      const field = make("input", { name: column.name, required: !column.optional });
      field.setAttribute("list", list.id);
      return { field: make("div", {}, field, list), value: () => field.value || null, datatype: "BYTES" };
    }
    const field = make("select", { name: column.name, required: !column.optional });
    field.append(make("option", { value: "", textContent: column.optional ? "(none)" : "(choose)" }));
    field.append(...known.map((value) => make("option", { value, textContent: value })));
    return { field, value: () => field.value || null, datatype: "BYTES" };
  };
  const date = (column) => {
    const field = make("input", { type: "datetime-local", name: column.name, required: !column.optional });
    return { field, value: () => field.value || null, datatype: "BYTES" };
  };
  const columns = { number, category, date };

  const table = (input) => {
    const fields = input.columns.map((column) => ({ column, ...columns[column.kind](column) }));
    return {
      field: make("div", {}, ...fields.map(({ column, field }) => labelled(column.name, field))),
      tensors: () => fields.map(({ column, value, datatype }) => tensor(column.name, datatype, [1], [value()])),
    };
  };
  const text = (input) => {
    const field = make("textarea", { required: true, placeholder: "A text", name: input.name });
    return { field, tensors: () => [tensor(input.name, "BYTES", [1], [field.value])] };
  };
  const numbers = (input) => {
    const shape = input.shape.slice(1);
    const field = make("textarea", { required: true, placeholder: `numbers of the shape [${shape}]`, name: input.name });
    const values = () => field.value.split(/[\s,;[\]]+/).filter(Boolean).map(Number);
    return { field, tensors: () => [tensor(input.name, input.datatype, [1, ...shape], values())] };
  };
  const kinds = { picture, table, text, tensor: numbers };

  const base64 = async (file) => {
    const bytes = new Uint8Array(await file.arrayBuffer());
    let binary = "";
    for (const byte of bytes) binary += String.fromCharCode(byte);
    return btoa(binary);
  };
  const request = async (readers) => {
    if (readers.length === 1 && readers[0].file) {
      const file = readers[0].file();
      return { method: "POST", body: file, headers: { "Content-Type": file.type } };
    }
    const inputs = [];
    for (const reader of readers)
      if (reader.file) inputs.push(tensor(reader.name, "BYTES", [1], [await base64(reader.file())]));
      else inputs.push(...reader.tensors());
    return { method: "POST", body: JSON.stringify({ inputs }), headers: { "Content-Type": "application/json" } };
  };

  const bars = (labels, probabilities) => {
    const order = labels.map((_, index) => index).sort((a, b) => probabilities[b] - probabilities[a]);
    return order.slice(0, MOST_BARS).map((index) => {
      const share = make("div");
      share.style.width = `${100 * probabilities[index]}%`;
      const per_cent = `${(100 * probabilities[index]).toFixed(1)} %`;
      return make("div", { className: "bar" }, make("span", { textContent: labels[index] }), make("div", {}, share), make("span", { textContent: per_cent }));
    });
  };
  const described = (outputs, levels) => {
    if (!outputs.path) return `${outputs.label[0]}`;
    const level = levels[outputs.exit_level[0]];
    const sure = `${(100 * outputs.confidence[0]).toFixed(1)} %`;
    return `${outputs.label[0] || "no label"}, confidence ${sure}, answered by the level ${level.name}: ${outputs.path[0]}`;
  };

  const form = (model, mount, described_) => {
    const { inputs, labels, levels } = described_.parameters;
    const readers = inputs.map((input) => ({ name: input.name, ...kinds[input.kind](input) }));
    const answer = make("div", { role: "status" });
    const send = make("button", { textContent: "Predict" });
    const fields = readers.map((reader, place) =>
      make("fieldset", {}, make("legend", { textContent: inputs[place].name }), make("div", { className: "note", textContent: inputs[place].meaning }), reader.field)
    );
    const made = make("form", {}, make("div", {}, ...fields, send), answer);
    made.addEventListener("submit", async (event) => {
      event.preventDefault();
      send.disabled = true;
      answer.replaceChildren();
      try {
        const options = await request(readers);
        const document_ = await ask(`${mount.value}v2/models/${model}/infer`, options);
        const outputs = Object.fromEntries(document_.outputs.map((output) => [output.name, output.data]));
        answer.replaceChildren(make("p", { textContent: described(outputs, levels) }), ...bars(labels, outputs.probabilities));
      } catch (error) {
        answer.replaceChildren(make("p", { className: "error", textContent: error.message }));
      } finally {
        send.disabled = false;
      }
    });
    return made;
  };

  const start = async () => {
    const { models } = await ask("v1/models");
    if (!models.length) return;
    const model = make("select", {}, ...models.map((name) => make("option", { textContent: name })));
    const mount = make("select", {}, make("option", { value: "cascade/", textContent: "the cascade" }), make("option", { value: "", textContent: "the end-to-end model" }));
    const place = make("div");
    const chosen = async () => {
      try {
        const described_ = await ask(`cascade/v2/models/${model.value}`);
        place.replaceChildren(form(model.value, mount, described_));
      } catch (error) {
        place.replaceChildren(make("p", { className: "error", textContent: error.message }));
      }
    };
    model.addEventListener("change", chosen);
    root.append(make("h2", { textContent: "Predict" }), labelled("Model", model), labelled("Answered by", mount), place);
    await chosen();
  };
  start().catch(() => {}); // without permission to list models there is no form, and the document below says why
})();
