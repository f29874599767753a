//! The command `pcml`. Exit statuses: 0 done, 1 failed with a message, 2 called the wrong way.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use pcml_cli::error::Result;
use pcml_cli::outcome::Outcome;
use pcml_cli::predict::{Arithmetic, How};
use pcml_cli::project::Quadrature;
use pcml_cli::{convert, inspect, predict, project, verify};
use serde_json::json;

/// Shows, checks, tries and makes models for pcml.
#[derive(Parser)]
#[command(name = "pcml", version, arg_required_else_help = true)]
struct Cli {
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// What a model file is: channels, units, sizes, laws, provenance. Nothing is run.
    Inspect {
        /// The model file.
        model: PathBuf,
    },
    /// Whether a model file holds here: digest, self-test; and its speed.
    Verify {
        /// The model file.
        model: PathBuf,
        /// Functions a call, of a perceptron rows [default: as the self-test].
        #[arg(long)]
        batch: Option<usize>,
        /// Points of the grid, as 64,64 [default: as the self-test].
        #[arg(long, value_delimiter = ',')]
        shape: Option<Vec<usize>>,
        /// Context points of a neural process.
        #[arg(long)]
        context: Option<usize>,
        /// Target points of a neural process or DeepONet.
        #[arg(long)]
        targets: Option<usize>,
        /// Latent draws of a neural process; 0 is the mean latent.
        #[arg(long, default_value_t = 0)]
        latents: usize,
        /// Threads of a call.
        #[arg(long, default_value_t = 1)]
        threads: usize,
        /// Arithmetic of the network [default: f32 where the model has it].
        #[arg(long, value_enum)]
        dtype: Option<Arithmetic>,
        /// Calls that are timed; their median is told.
        #[arg(long, default_value_t = 15)]
        repeats: usize,
    },
    /// Predict from arrays in a file.
    Predict {
        /// The model file.
        model: PathBuf,
        /// A safetensors file with the arrays by name (input, left, right, top, down; context_x, context_y, target_x, eps, noise), or a
        /// .npy file with the input.
        arrays: PathBuf,
        /// The safetensors file for output, or mean and variance of a model that has variances; a .npy file for a single array.
        #[arg(short, long)]
        output: PathBuf,
        /// Arithmetic of the network [default: f64 where the model has it].
        #[arg(long, value_enum)]
        dtype: Option<Arithmetic>,
        /// Latent draws of a neural process, 0 being the mean latent; draws of dropout.
        #[arg(long, default_value_t = 0)]
        latents: usize,
        /// Seed of the draws.
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// Dropout rate that is kept on: Monte Carlo dropout, of a model that was trained with some.
        #[arg(long, default_value_t = 0.0)]
        dropout: f64,
        /// Steps of a roll-out.
        #[arg(long, default_value_t = 1)]
        steps: usize,
        /// Threads of a call.
        #[arg(long, default_value_t = 1)]
        threads: usize,
        /// Arrays are [functions, channels, grid], as in PyTorch; otherwise [functions, grid, channels].
        #[arg(long)]
        channels_first: bool,
    },
    /// Make a prediction obey an integral along one axis.
    Project {
        /// The model file whose law and grid it is, or none.
        model: String,
        /// A safetensors file with mean (or output) and, where there are some, variance, points, total, lower, upper; or a .npy file with
        /// the mean.
        arrays: PathBuf,
        /// The safetensors file for mean and variance; a .npy file for the mean alone.
        #[arg(short, long)]
        output: PathBuf,
        /// The integral of every line along the axis.
        #[arg(long, allow_negative_numbers = true)]
        integral: Option<f64>,
        /// The quadrature rule [default: the model's].
        #[arg(long, value_enum)]
        quadrature: Option<Quadrature>,
        /// The axis of the mean along which the integral runs [default: the last one that is not a single channel].
        #[arg(long, allow_negative_numbers = true)]
        axis: Option<isize>,
        /// Distance of neighbouring points [default: from the model's grid].
        #[arg(long, allow_negative_numbers = true)]
        spacing: Option<f64>,
        /// Least value of every cell.
        #[arg(long, allow_negative_numbers = true)]
        lower: Option<f64>,
        /// Largest value of every cell.
        #[arg(long, allow_negative_numbers = true)]
        upper: Option<f64>,
    },
    /// Make a model file from a state dict of others' code, or from an ONNX file.
    Convert {
        /// Whose state dict it is.
        #[arg(value_enum)]
        kind: convert::Kind,
        /// The state dict, a safetensors file; the ONNX file; for kind ensemble the members' model files.
        #[arg(required = true)]
        states: Vec<PathBuf>,
        /// The model file to write.
        #[arg(short, long)]
        output: PathBuf,
        /// What the names of the state dict begin with.
        #[arg(long, default_value = "")]
        prefix: String,
        /// What the state dict does not hold, as NAME=VALUE, VALUE being JSON or a word; docs/convert.md lists the names.
        #[arg(long, value_name = "NAME=VALUE")]
        set: Vec<String>,
        /// Beginning of the names of tensors that the network does not use.
        #[arg(long, value_name = "NAME")]
        drop: Vec<String>,
        /// A JSON file with inputs, outputs, grid, conservation, provenance for the model's description.
        #[arg(long)]
        description: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    let Cli { json, command } = Cli::parse();
    let outcome = match run(command) {
        Ok(outcome) => outcome,
        Err(e) => {
            eprintln!("pcml: {e}");
            return ExitCode::from(1);
        }
    };
    let text = if json { format!("{:#}\n", outcome.json()) } else { outcome.text() };
    // Whoever reads may have enough.
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(1),
    }
}

fn run(command: Command) -> Result<Outcome> {
    match command {
        Command::Inspect { model } => inspect::inspect(&model),
        Command::Verify { model, batch, shape, context, targets, latents, threads, dtype, repeats } => {
            let request =
                verify::Request { model, batch, shape, context, targets, latents, threads, arithmetic: dtype, repeats };
            verify::verify(&request)
        }
        Command::Predict { model, arrays, output, dtype, latents, seed, dropout, steps, threads, channels_first } => {
            let how = How { arithmetic: dtype, latents, seed, dropout, steps, threads, channels_first };
            predict::predict(&predict::Request { model, arrays, output, how })
        }
        Command::Project { model, arrays, output, integral, quadrature, axis, spacing, lower, upper } => {
            let model = (model != "none").then(|| PathBuf::from(model));
            project::project(&project::Request {
                model,
                arrays,
                output,
                integral,
                quadrature,
                axis,
                spacing,
                lower,
                upper,
            })
        }
        Command::Convert { kind, states, output, prefix, set, drop, description } => {
            let request = convert::Request { kind, states, output, prefix, set, drop, description };
            let report = convert::convert(&request)?;
            let mut out = Outcome::new();
            out.fact("written", request.output.display().to_string());
            out.fact("architecture", report.architecture);
            out.tell(
                "bytes",
                report.bytes,
                format!("{} of weights and self-test, {} weights", report.bytes, report.weights),
            );
            let told = if report.verified && !report.independent {
                format!(
                    "stored and run: outputs are those of this evaluation itself, to {}; compare a prediction",
                    report.tolerance
                )
            } else if report.verified {
                format!(
                    "passed: the model gives what its source gives, within {} of the largest output",
                    report.tolerance
                )
            } else {
                "stored, not run: loading takes memory of the file's size; pcml verify does it".to_string()
            };
            out.tell(
                "selftest",
                json!({"passed": report.verified, "independent": report.independent, "tolerance": report.tolerance}),
                told,
            );
            Ok(out)
        }
    }
}
