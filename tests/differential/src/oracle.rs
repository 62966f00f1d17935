//! The process that links Helm's engine.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;

use crate::{Answer, Error, Question};

/// A running oracle. It ends when this is dropped, or when this process ends: its input is closed then.
#[derive(Debug)]
pub struct Oracle {
    program: PathBuf,
    process: Option<Process>,
}

#[derive(Debug)]
struct Process {
    child: Child,
    questions: BufWriter<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Oracle {
    /// Builds the oracle, unless that was done before, and starts it.
    ///
    /// # Errors
    /// When it cannot be built or started.
    pub fn start() -> Result<Self, Error> {
        let mut oracle = Self {
            program: build()?,
            process: None,
        };
        oracle.process()?;
        Ok(oracle)
    }

    fn process(&mut self) -> Result<&mut Process, Error> {
        let process = match self.process.take() {
            Some(process) => process,
            None => Process::start(&self.program)?,
        };
        Ok(self.process.insert(process))
    }

    /// Asks one question.
    ///
    /// # Errors
    /// When the oracle cannot be asked.
    pub fn ask(&mut self, question: &Question) -> Result<Answer, Error> {
        let answers = self.ask_all(std::slice::from_ref(question))?;
        Ok(answers.into_iter().next().unwrap_or(Answer::Ended))
    }

    /// Asks many questions at once; the answers come in the same order.
    ///
    /// # Errors
    /// When the oracle cannot be started anew after a question that ended it, or is not understood.
    pub fn ask_all(&mut self, questions: &[Question]) -> Result<Vec<Answer>, Error> {
        let mut answers = Vec::with_capacity(questions.len());
        while answers.len() < questions.len() {
            self.process()?
                .ask(&questions[answers.len()..], &mut answers)?;
            if answers.len() < questions.len() {
                answers.push(Answer::Ended);
                self.process = None;
            }
        }
        Ok(answers)
    }
}

impl Process {
    fn start(program: &Path) -> Result<Self, Error> {
        let mut child = Command::new(program)
            .env("TZ", "UTC")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(Error::io("starting the oracle"))?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(questions), Some(answers)) => Ok(Self {
                child,
                questions: BufWriter::new(questions),
                answers: BufReader::with_capacity(1 << 20, answers),
            }),
            _ => Err(Error::NoPipes),
        }
    }

    /// Fewer answers than questions mean that the first one without an answer ended the process.
    fn ask(&mut self, questions: &[Question], answers: &mut Vec<Answer>) -> Result<(), Error> {
        let (writer, reader) = (&mut self.questions, &mut self.answers);
        thread::scope(|scope| {
            // Written beside, as neither pipe holds everything. That it ended is seen below.
            scope.spawn(move || {
                let written = questions.iter().try_for_each(|question| {
                    serde_json::to_writer(&mut *writer, question)?;
                    writer.write_all(b"\n")
                });
                written.and_then(|()| writer.flush())
            });
            let mut line = String::new();
            for _ in questions {
                line.clear();
                let read = reader
                    .read_line(&mut line)
                    .map_err(Error::io("hearing the oracle"))?;
                if read == 0 {
                    return Ok(());
                }
                answers.push(serde_json::from_str(&line)?);
            }
            Ok(())
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It waits for questions or has ended; nothing of it is wanted any more.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn build() -> Result<PathBuf, Error> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let workspace = here.ancestors().nth(2).unwrap_or(here);
    let built = Command::new("bash")
        .arg(workspace.join("tests/oracle/build.sh"))
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(Error::io("building the oracle"))?;
    let path = String::from_utf8_lossy(&built.stdout).trim().to_owned();
    if !built.status.success() || path.is_empty() {
        return Err(Error::Build(built.status.to_string()));
    }
    Ok(path.into())
}
