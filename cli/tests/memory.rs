//! A state dict of 1 GB is converted with less memory of its own than 1.2 times its largest tensor: files are mapped and written a chunk
//! at a time.

mod converting;

use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use converting::place;
use serde_json::{Map, json};

const WIDTH: usize = 64;
const MODES: usize = 64;

/// Names and shapes of a wide operator of the original code on two axes.
fn shapes() -> Vec<(String, Vec<usize>)> {
    let mut all = vec![];
    for (name, out, inner) in [("fc0", WIDTH, 3), ("fc1", 128, WIDTH), ("fc2", 1, 128)] {
        all.push((format!("{name}.weight"), vec![out, inner]));
        all.push((format!("{name}.bias"), vec![out]));
    }
    for b in 0..4 {
        for i in 1..=2 {
            all.push((format!("conv{b}.weights{i}"), vec![WIDTH, WIDTH, MODES, MODES, 2]));
        }
        all.push((format!("w{b}.weight"), vec![WIDTH, WIDTH, 1, 1]));
        all.push((format!("w{b}.bias"), vec![WIDTH]));
    }
    all
}

/// A state dict that is mostly a hole: spectral weights are 0 but for the ends of each tensor.
fn state_dict(path: &Path) -> (u64, u64) {
    let (mut header, mut at, mut largest) = (Map::new(), 0u64, 0u64);
    let shapes = shapes();
    for (name, shape) in &shapes {
        let size = 4 * shape.iter().product::<usize>() as u64;
        header.insert(name.clone(), json!({"dtype": "F32", "shape": shape, "data_offsets": [at, at + size]}));
        (at, largest) = (at + size, largest.max(size));
    }
    let header = serde_json::Value::Object(header).to_string();
    let mut file = std::fs::File::create(path).expect("a new file");
    file.write_all(&(header.len() as u64).to_le_bytes()).expect("written");
    file.write_all(header.as_bytes()).expect("written");
    let data = 8 + header.len() as u64;
    file.set_len(data + at).expect("room on the disk");
    let mut start = data;
    for (_, shape) in &shapes {
        let count = shape.iter().product::<usize>();
        let some: Vec<u8> = (0..count.min(4096)).flat_map(|i| ((i as f32).sin() * 0.1).to_le_bytes()).collect();
        for place in [start, start + 4 * count as u64 - some.len() as u64] {
            file.seek(SeekFrom::Start(place)).expect("a place");
            file.write_all(&some).expect("written");
        }
        start += 4 * count as u64;
    }
    (at, largest)
}

/// Most memory of its own that a process had while it ran.
fn peak(mut child: std::process::Child) -> u64 {
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    while child.try_wait().expect("a child").is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let anonymous = text.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let kib = anonymous.and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
        most = most.max(kib.unwrap_or(0) * 1024);
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(child.wait().expect("a child").success());
    most
}

#[test]
fn a_gigabyte_streams() {
    if !Path::new("/proc/self/status").exists() {
        println!("skipped: memory of a process is read from /proc");
        return;
    }
    let (state, model) = (place("wide.safetensors"), place("model.safetensors"));
    let (bytes, largest) = state_dict(&state);
    assert!(bytes >= 1 << 30, "{bytes}");
    let start = Instant::now();
    let child = Command::new(env!("CARGO_BIN_EXE_pcml"))
        .args(["convert", "fno", "--set", "padding=0", "-o"])
        .args([&model, &state])
        .stdout(Stdio::null())
        .spawn()
        .expect("the command");
    let most = peak(child);
    let took = start.elapsed();
    let written = std::fs::metadata(&model).expect("the model file").len();
    std::fs::remove_file(&state).expect("the state dict");
    std::fs::remove_file(&model).expect("the model file");
    println!("{bytes} bytes in {took:.1?}, {:.2} of the largest tensor", most as f64 / largest as f64);
    assert!(written >= bytes && most > 0);
    assert!(most as f64 <= 1.2 * largest as f64, "{most} bytes, largest tensor {largest}");
}
