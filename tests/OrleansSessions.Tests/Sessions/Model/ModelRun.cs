using Microsoft.Extensions.Time.Testing;
using OrleansSessions.Gateways;
using OrleansSessions.Protocol;
using OrleansSessions.Responders;
using OrleansSessions.Sessions;

namespace OrleansSessions.Tests.Sessions.Model;

/// <summary>
/// Plays one case: the steps one after the other, then an end in which everything works again. What clients see goes to <see cref="SeenSession"/>.
/// </summary>
internal sealed class ModelRun
{
    private const int Ids = 8;

    /// <summary>How many rows one accident can leave for good: a page whose removal failed, with the chunks of its answers.</summary>
    private const int GarbageOfAnAccident = 12;

    private static readonly int[] Sizes = [1, 4, 30, 30, 200, 1_500, 1_500, 7_000, 20_000, 40_000];

    private static readonly TimeSpan[] Times =
    [
        TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(300), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(16),
        TimeSpan.FromSeconds(25), TimeSpan.FromSeconds(45), TimeSpan.FromSeconds(125),
    ];

    private readonly ModelCase _case;
    private readonly FakeTimeProvider _time = new(new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly ModelStore _store = new();
    private readonly SeenSession _seen;
    private readonly SeenAnswers _answers;
    private readonly ResponderRegistration _responder;
    private readonly List<ModelNode> _hung = [];
    private ModelNode _node;
    private bool _isDisturbed;
    private BrokenException? _broken;
    private int _nodes;
    private int _accidents;
    private int _asks;
    private int _version;
    private (long Epoch, long Seq) _reader;

    public ModelRun(ModelCase modelCase)
    {
        _case = modelCase;
        _seen = new SeenSession(_case.Options, _store);
        _answers = new SeenAnswers(_case);
        _responder = new("model", _case.Recovery is null ? null : typeof(ModelResponder));
        _node = NewNode();
    }

    private bool IsQuiet => !_store.IsHeld && _store.PendingCount == 0 && _node.Activation is not { IsIdle: false };

    /// <summary>
    /// True while the process has state that the store has no more. It learns of that with its next write, and until then no one can rely on what it says.
    /// </summary>
    private bool IsStale => _store.IsStale(_node);

    public void Play()
    {
        foreach (var step in _case.Steps)
        {
            Do(step);
            _node.Run();
            CheckFaults();
        }

        Finish();
    }

    private void Do(Step step)
    {
        switch (step.Kind)
        {
            case StepKind.Ask when _asks - _seen.Replies < 6:
                Ask(step);
                break;
            case StepKind.Cancel:
                Cancel(step);
                break;
            case StepKind.Append when _case.Recovery is null:
                Append(step);
                break;
            case StepKind.Say or StepKind.SayLate or StepKind.EndAnswer:
                Speak(step);
                break;
            case StepKind.Pass:
                Pass(Times[step.A % Times.Length]);
                break;
            case StepKind.Checkpoint:
                Save(() => Pass(_case.Options.CheckpointInterval));
                break;
            case StepKind.Sleep:
                _isDisturbed |= !IsQuiet;
                Save(() => _node.Activation?.Deactivate(default));
                break;
            case StepKind.Hold:
                _store.IsHeld = true;
                break;
            case StepKind.Finish when _store.PendingCount > 0:
                _store.Finish(_store[step.A % _store.PendingCount]);
                break;
            case StepKind.Resume:
                _store.IsHeld = false;
                break;
            case StepKind.Fault:
                Fault(step);
                break;
            case StepKind.Crash:
                Lose(step.A, isHung: false);
                break;
            case StepKind.Hang:
                Lose(step.A, isHung: true);
                break;
            case StepKind.Wake when _hung.Count > 0:
                var hung = _hung[step.A % _hung.Count];
                hung.Activation?.FireDueTimers();
                hung.Run();
                break;
            case StepKind.Remove:
                Remove();
                break;
            case StepKind.Read:
                Read(step);
                break;
            case StepKind.Attach:
                Attach(step);
                break;
            case StepKind.Get:
                Get($"q{step.A % Ids}");
                break;
            case StepKind.Inspect when IsQuiet:
                Inspect();
                break;
        }
    }

    private void Ask(Step step)
    {
        var number = ++_asks;
        var id = step.A % 10 == 9 ? null : $"q{step.A % Ids}";
        var connection = step.C % 3 == 0 ? null : $"c{step.C % 3}";
        var request = new AskRequest
        {
            Gateway = step.B % 4 == 0 ? null : "g1",
            Connection = connection,
            QuestionId = id,
            Question = id is null ? $"anonymous {number}" : $"{id} {(step.B % 7 == 0 ? "what" : "why")} {new string('?', step.A % 3 * 300)}",
            IfBusy = (IfBusy)(step.C % 5 % 3),
            IsOrphanable = id is null && connection is not null,
            MetadataJson = $"{number}",
        };
        var before = step.C % 4 == 0 && IsQuiet ? All() : null;
        _seen.NoteAsk(request);
        Call(
            session => session.AskAsync(request),
            reply =>
            {
                _seen.NoteAskReply(request, reply);
                if (before is not null && reply.Outcome != AskOutcome.Accepted)
                {
                    Call(session => session.ListQuestionsAsync(new() { Limit = 1000 }), after => BrokenException.Unless(
                        after.SequenceEqual(before), $"I1: a question was refused ({reply.Outcome}), but something has changed"));
                }
            },
            _ => _seen.NoteNoReply());
    }

    private void Cancel(Step step)
    {
        var id = step.A % 5 == 0 ? null : step.A % 5 == 1 ? "never" : $"q{step.B % Ids}";
        Call(session => session.CancelAsync(new() { QuestionId = id }), reply =>
        {
            if (reply.Outcome == CancelOutcome.AlreadyDone)
            {
                _seen.NoteDescription(reply.Question!);
            }
            else if (reply.Outcome == CancelOutcome.NotFound && id is not null)
            {
                _seen.NoteMissing(id);
            }
        });
    }

    private void Append(Step step)
    {
        // A piece of something else would be right where the answer has no text, as after a crash: it is sent where nothing can come between.
        var open = _seen.Current.Where(known => known.End is null).ToList();
        if (open.Count == 0 || (step.B % 12 == 2 && (!IsQuiet || _store.Next.Count > 0)))
        {
            return;
        }

        var known = open[step.A % open.Count];
        Call(session => session.GetQuestionAsync(new() { QuestionId = known.Id }), question =>
        {
            if (question is not null)
            {
                Append(step, known, question.Bytes);
            }
        });
    }

    private void Append(Step step, Known known, long bytes)
    {
        var key = known.Id;
        var kind = step.B % 12;
        var offset = kind switch
        {
            0 => bytes + _case.Options.MaxAnswerBytes,
            1 or 2 => 0,
            _ => bytes,
        };
        var text = kind == 2 ? "###" : Script.Piece(key, kind is 1 ? 0 : bytes, Sizes[step.C % Sizes.Length]);
        var isWrong = kind is 0 or 3 || (kind == 2 && bytes >= 3);
        if (kind == 2 && bytes < 3)
        {
            return;
        }

        var request = kind == 4
            ? new AnswerRequest { QuestionId = known.Id, Text = Script.Piece(key, 0, (int)bytes + Sizes[step.C % Sizes.Length]) }
            : new AnswerRequest
            {
                QuestionId = known.Id,
                Attempt = kind == 3 ? 2 : 1,
                Offset = offset,
                Text = text,
                IsFinal = kind is 5 or 6,
                ErrorCode = kind == 7 ? "overloaded" : null,
            };
        Call(session => session.AnswerAsync(request), reply =>
        {
            BrokenException.Unless(!isWrong || reply.Outcome != AnswerOutcome.Taken, $"a wrong piece ({kind}) was taken");
            BrokenException.Unless(
                reply.Outcome != AnswerOutcome.Taken || request.Offset is null || reply.Offset >= offset + System.Text.Encoding.UTF8.GetByteCount(text),
                $"a piece was taken, but the answer ends at {reply.Offset}");
        });
    }

    private void Speak(Step step)
    {
        var isLate = step.Kind == StepKind.SayLate;
        var answers = isLate
            ? [.. _node.Responder.Running.Where(answer => answer.IsCancelled), .. _hung.SelectMany(hung => hung.Responder.Running)]
            : _node.Responder.Running.FindAll(answer => !answer.IsCancelled);
        answers.RemoveAll(answer => answer.HasEnded);
        if (answers.Count == 0)
        {
            return;
        }

        var answer = answers[step.A % answers.Count];
        if (step.Kind != StepKind.EndAnswer)
        {
            answer.Say(SeenAnswers.Next(answer, Sizes[step.B % Sizes.Length]));
        }
        else if (step.B % 8 < 6)
        {
            answer.End();
        }
        else if (step.B % 8 == 6)
        {
            answer.Throw();
        }
        else
        {
            answer.Stop();
        }
    }

    /// <summary>Does something after which all of the running answer is in the store, if the store does not fail.</summary>
    private void Save(Action act)
    {
        if (!IsQuiet || IsStale || _node.Watch.Health.IsAway)
        {
            act();
            return;
        }

        QuestionDescription? running = null;
        Call(session => session.DescribeAsync(new()), session =>
        {
            running = session?.Open.FirstOrDefault(question => question.Status != QuestionStatus.Queued);
            NoteIfAny(running);
        });
        _node.Run();
        var faults = _store.Faults;
        act();
        _node.Run();
        if (running is not null && IsQuiet && faults == _store.Faults && !_node.Watch.Health.IsAway)
        {
            _seen.NoteSaved(running);
            _answers.NoteSaved(running);
        }
    }

    private void Pass(TimeSpan time)
    {
        // In parts, so that what is awaited in between can wait again.
        for (var part = 0; part < 4; part++)
        {
            if (_store.PendingCount > 0)
            {
                // The store may hang for too long.
                _isDisturbed = true;
                _accidents++;
            }

            _time.Advance(time / 4);
            _node.Activation?.FireDueTimers();
            _node.Run();
        }
    }

    private void Fault(Step step)
    {
        _isDisturbed = true;
        _accidents += 1 + (step.A % 5);
        for (var i = 0; i < step.B % 4; i++)
        {
            _store.Next.Enqueue(StoreOutcome.Done);
        }

        for (var i = 0; i <= step.A % 5; i++)
        {
            _store.Next.Enqueue(step.C % 2 == 0 ? StoreOutcome.Refused : StoreOutcome.ReplyLost);
        }
    }

    /// <summary>The process is gone, or hangs and is taken for gone. Another one has the session from now on.</summary>
    /// <param name="fates">Two bits for each call of the store that waits.</param>
    private void Lose(int fates, bool isHung)
    {
        _isDisturbed = true;
        _accidents++;
        _node.Activation?.LoseCallers();
        if (isHung)
        {
            _node.Activation?.TakeWaiting();
            _hung.Add(_node);
        }
        else
        {
            foreach (var call in _store.PendingOf(_node).ToList())
            {
                var fate = fates & 3;
                fates >>= 2;
                if (fate == 0)
                {
                    _store.Drop(call);
                }
                else if (fate < 3)
                {
                    _store.Finish(call, StoreOutcome.Done);
                }
            }
        }

        _node = NewNode();
    }

    private void Remove() => Call(
        session => session.RemoveAsync(new()), _ => _seen.NoteRemoved(), _ => _seen.NoteRemovalLost(), isAlways: true);

    private void Read(Step step)
    {
        var epochs = _seen.Epochs.ToList();
        var (epoch, after) = (step.A % 5) switch
        {
            0 or 1 => _reader,
            2 when epochs.Count > 0 => (epochs[^1], 0),
            3 when epochs.Count > 0 => (epochs[^1], step.C % (_seen.LastSeen(epochs[^1]) + 2)),
            _ when epochs.Count > 0 => (epochs[step.B % epochs.Count], step.C % 9),
            _ => (1, 0),
        };
        ReadFrom(epoch, after, (step.B % 3) switch { 0 => 1, 1 => 500, _ => 1_000_000 });
    }

    private void ReadFrom(long epoch, long after, int maxBytes)
    {
        var request = new ReadLogRequest { Epoch = epoch, AfterSeq = after, MaxBytes = maxBytes };
        Call(session => session.ReadLogAsync(request), piece =>
        {
            _seen.NotePiece(request, piece);
            _reader = piece.Outcome == LogReadOutcome.Recovered ? (epoch, after + piece.Events.Length) : (piece.Epoch, piece.Head);
        });
    }

    private void Attach(Step step)
    {
        var gateway = $"g{step.A % 2}";
        var connection = $"c{step.B % 3}";
        if (step.C % 3 == 0)
        {
            Call(session => DetachAsync(session, new() { Gateway = gateway, Connection = connection, Connections = 0, Version = ++_version }), _ => { });
            return;
        }

        var request = new AttachRequest
        {
            Gateway = gateway,
            Connections = 1,
            Version = ++_version,
            WantsSnapshot = true,
            BasicConnection = step.C % 3 == 1 ? connection : null,
        };
        Call(session => session.AttachAsync(request), reply =>
        {
            _seen.NoteEpoch(reply.Epoch);
            BrokenException.Unless(reply.Seq >= _seen.LastSeen(reply.Epoch), $"I3: attached at {reply.Seq}, but {_seen.LastSeen(reply.Epoch)} was seen");
            _seen.NoteOpen(reply.Open);
            NoteIfAny(reply.Snapshot);
        });
    }

    private void Get(string id) => Call(session => session.GetQuestionAsync(new() { QuestionId = id }), question =>
    {
        if (question is null)
        {
            _seen.NoteMissing(id);
        }

        NoteIfAny(question);
    });

    /// <summary>Looks at all that clients can see.</summary>
    private void Inspect()
    {
        InspectAll();
        _node.Run();
        CheckFaults();
    }

    private void InspectAll()
    {
        Call(session => session.ListQuestionsAsync(new() { Limit = 1000 }), all =>
        {
            _seen.NoteAll(all);
            foreach (var question in all)
            {
                _answers.Check(question);
            }
        });
        SessionDescription? described = null;
        Call(session => session.DescribeAsync(new()), session => described = session);
        _node.Run();
        if (described is null || IsStale)
        {
            return;
        }

        _seen.NoteEpoch(described.Epoch);
        var oldest = described.OldestSeq - 1;
        var request = new ReadLogRequest { Epoch = described.Epoch, AfterSeq = oldest, MaxBytes = int.MaxValue };
        Call(session => session.ReadLogAsync(request), piece =>
        {
            BrokenException.Unless(
                piece.Outcome == LogReadOutcome.Recovered, $"I3: the log begins at {described.OldestSeq}, but reading from there is {piece.Outcome}");
            _seen.NotePiece(request, piece);
        });
        _node.Run();
        if (!_isDisturbed)
        {
            var garbage = _store.Unnamed();
            BrokenException.Unless(garbage.Count == 0, $"no record names {string.Join(", ", garbage)}");
        }
    }

    /// <summary>Everything works again: whatever was asked comes to its end, outlives the process, and leaves nothing behind.</summary>
    private void Finish()
    {
        _store.Next.Clear();
        _store.IsHeld = false;
        foreach (var hung in _hung)
        {
            hung.Run();
        }

        while (_store.PendingCount > 0)
        {
            _store.Finish(_store[0], StoreOutcome.Done);
        }

        for (var i = 0; i < 60 && (!IsQuiet || IsStale || i < 2); i++)
        {
            Pass(TimeSpan.FromSeconds(3));
            CheckFaults();
            if (IsStale)
            {
                // It would learn of it only with its next write.
                _node.Activation?.Deactivate(default);
            }
        }

        BrokenException.Unless(IsQuiet, $"I5: the session never comes to rest");
        Inspect();
        if (_case.Steps.Length % 2 == 0)
        {
            Talk();
        }

        for (var i = 0; i < 8; i++)
        {
            Pass(_case.Options.AnswerTimeout);
        }

        Inspect();
        BrokenException.Unless(_seen.Current.All(known => known.End is not null || known.IsForgotten), $"I2: a question has no done");
        Lose(0, isHung: false);
        Inspect();
        Remove();
        _node.Run();
        CheckFaults();
        BrokenException.Unless(
            _store.Keys.Count <= (_isDisturbed ? GarbageOfAnAccident * _accidents : 0), $"after the removal there is {string.Join(", ", _store.Keys)}");
        Inspect();
        BrokenException.Unless(!_seen.Current.Any(), $"something came back after the removal");
    }

    /// <summary>The responders go on and on. Their time ends all the same: that of the running question, and that of one which waited as long as it may.</summary>
    private void Talk()
    {
        var ends = _time.GetUtcNow() + _case.Options.AnswerTimeout + _case.Options.QueueTimeout + TimeSpan.FromSeconds(10);
        while (_time.GetUtcNow() < ends)
        {
            foreach (var answer in _node.Responder.Running.FindAll(answer => !answer.IsCancelled && !answer.HasEnded))
            {
                answer.Say(SeenAnswers.Next(answer, 1));
            }

            Pass(TimeSpan.FromSeconds(10));
        }

        Call(session => session.DescribeAsync(new()), session => BrokenException.Unless(
            session is null || session.Open.Length == 0, $"I5: {session?.Open.FirstOrDefault()?.QuestionId} is open, but its time is over"));
        _node.Run();
        CheckFaults();
    }

    private List<QuestionDescription>? All()
    {
        List<QuestionDescription>? all = null;
        Call(session => session.ListQuestionsAsync(new() { Limit = 1000 }), reply => all = [.. reply]);
        _node.Run();
        return all;
    }

    private void NoteIfAny(QuestionDescription? question)
    {
        if (question is not null)
        {
            _seen.NoteDescription(question);
            _answers.Check(question);
        }
    }

    private void Call<T>(Func<ISessionGrain, Task<T>> call, Action<T> onReply, Action<Exception?>? onFault = null, bool isAlways = false)
    {
        var node = _node;
        node.Call(new ModelCall<T>(
            call,
            reply =>
            {
                if (isAlways || !_store.IsStale(node))
                {
                    onReply(reply);
                }
                else
                {
                    onFault?.Invoke(null);
                }
            },
            onFault ?? (_ => { })));
    }

    /// <summary>Calls and activations fail only where something was disturbed.</summary>
    private void CheckFaults()
    {
        if (_broken is not null)
        {
            throw _broken;
        }

        foreach (var fault in _node.Faults)
        {
            if (fault is BrokenException)
            {
                throw new BrokenException(fault.Message);
            }

            BrokenException.Unless(_isDisturbed, $"a call failed though nothing was disturbed: {fault}");
        }

        _node.Faults.Clear();
    }

    private ModelNode NewNode()
    {
        ModelNode? made = null;
        made = new ModelNode(
            _nodes++, _case.Options, _store, _time, _responder, _case.Recovery ?? RecoveryMode.Fail,
            (_, item) => Keep(() => OnItem(item, isHung: made != _node)));
        made.Responder.OnAsked = answer => Keep(() => _answers.NoteAsked(answer, isHung: made != _node));
        return made;
    }

    /// <summary>Where the code under test would take what is broken for a fault of the socket gateway or the responder.</summary>
    private void Keep(Action check)
    {
        try
        {
            check();
        }
        catch (BrokenException broken)
        {
            _broken ??= broken;
        }
    }

    private void OnItem(GatewayItem item, bool isHung)
    {
        foreach (var logged in item.Events)
        {
            _seen.NoteEvent(item.Epoch, logged, isHung);
        }
    }

    private static async Task<bool> DetachAsync(ISessionGrain session, DetachRequest request)
    {
        await session.DetachAsync(request);
        return true;
    }
}
