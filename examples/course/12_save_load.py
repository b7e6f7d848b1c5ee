import os
import tempfile
import pytensor as torch


class TwoLayerNet(torch.nn.Module):
  def __init__(self, D_in, H, D_out):
    super(TwoLayerNet, self).__init__()
    self.linear1 = torch.nn.Linear(D_in, H)
    self.linear2 = torch.nn.Linear(H, D_out)

  def forward(self, x):
    h_relu = self.linear1(x).clamp(min=0)
    y_pred = self.linear2(h_relu)
    return y_pred


PATH = os.path.join(tempfile.mkdtemp(), "model.pt")
model = TwoLayerNet(1000, 100, 10)
torch.save(model.state_dict(), PATH)
model = TwoLayerNet(1000, 100, 10)
model.load_state_dict(torch.load(PATH))
print({k: tuple(v.shape) for k, v in model.state_dict().items()})
